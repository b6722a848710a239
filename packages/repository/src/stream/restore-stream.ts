import { createHash, type Hash } from "node:crypto";
import type { Writable } from "node:stream";
import { GarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { openBlockCrew, type BlockCrew } from "../blocks/block-crew.ts";
import { freeMemory } from "../blocks/free-memory.ts";
import { leafEntries } from "../format/format-limits.ts";
import { seriesHash } from "../format/object-names.ts";
import { plainBytesOf, type ChunkAddress } from "../format/page-reference.ts";
import type { RecordVolume } from "../format/point-record.ts";
import { openForwardReader } from "../point/forward-reader.ts";
import { readRecord } from "../point/read-point.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import type { ByteRange } from "../point/stream-ranges.ts";
import { walkStream } from "../point/walk-stream.ts";
import { planRanges, type ChunkRange } from "../restore/chunk-ranges.ts";
import { openChunkReader, rangeName, type ChunkReader } from "../restore/chunk-reader.ts";
import { requireWhole } from "../restore/require-whole.ts";
import type { RestoreDependencies } from "../restore/restore-volume.ts";
import type { StoreCall } from "../store/object-store.ts";
import { defaultStreamId } from "./stream-plan.ts";
import { writeBytes } from "./write-bytes.ts";

export interface StreamRestorePlan {
  readonly series: string;
  /** Session id of the restore point. */
  readonly point: string;
  readonly streamId?: string;
  /** Gets the bytes in order; is neither ended nor destroyed. */
  readonly target: Writable;
  /** Where in the stream to begin; default 0. */
  readonly offset?: number;
  /** How many bytes; default: to the stream's end. */
  readonly length?: number;
  /** Groups of chunks (8 MiB, or one chunk) under way at once; default 3. */
  readonly concurrency?: number;
  /** Threads that open and verify; default one a core (8 at most), 0 does it in the caller's thread. */
  readonly threads?: number;
}

export interface StreamRestoreSummary {
  readonly bytesWritten: number;
  /** Length of the whole stream. */
  readonly sizeBytes: number;
  /** Of the whole stream, in hex: compared with what was written, unless that was a part. */
  readonly sha256: string;
}

const defaultConcurrency = 3;
const groupBytes = 8 * 1024 * 1024;
const groupChunks = 64;
const fetchesAtOnce = 4;
/** Chunks that are opened besides those that the threads are busy with. */
const chunksAround = 2;

/**
 * Writes a stream, or a part of it, to `target`; nothing when it is known to be lost (`point-damaged`). Each chunk is opened
 * and its id compared before a byte of it is written, and the digest of a whole stream at the end: the first damage stops
 * it by name (`chunk-damaged`, `page-damaged`, `stream-mismatch`, ...), and what was written before is right but not whole.
 */
export async function restoreStream(
  dependencies: RestoreDependencies,
  plan: StreamRestorePlan,
  call: StoreCall,
): Promise<StreamRestoreSummary> {
  const { series, point, threads } = plan;
  const record = await readRecord(dependencies, { series, sessionId: point }, call);
  const volume = findStream(record.volumes, plan);
  const range = rangeOf(volume, plan);
  const crew = openBlockCrew(dependencies.keys.idKey, { threads });
  const digest = createHash("sha256");
  try {
    const owner = { series: seriesHash(dependencies.keys, series), volume };
    const forwards = openForwardReader(dependencies);
    const reader = openVolumeReader({ ...dependencies, forwards }, owner, call);
    const chunks = openChunkReader({ ...dependencies, forwards, crew });
    await requireWhole(dependencies, { reader, point, part: range }, call);
    const bytesWritten = await writeRange({ dependencies, plan, reader, crew, chunks, range, digest }, call);
    checkWhole(volume, { range, bytesWritten, sha256: digest.digest("hex") });
    return { bytesWritten, sizeBytes: volume.sizeBytes, sha256: volume.sha256! };
  } finally {
    await crew.close();
  }
}

function findStream(volumes: readonly RecordVolume[], plan: StreamRestorePlan): RecordVolume {
  const { streamId = defaultStreamId, point } = plan;
  const streams = volumes.filter((each) => each.kind === "stream");
  const volume = streams.find((each) => each.volumeId === streamId);
  if (volume !== undefined) return volume;
  if (streams.length === 0) {
    throw new GarrisonError("point-kind-wrong", `restore point ${point} holds an image, not a stream`);
  }
  throw new GarrisonError("point-missing", `restore point ${point} holds no stream ${streamId}`);
}

function rangeOf(volume: RecordVolume, plan: StreamRestorePlan): ByteRange {
  const { offset = 0, length = volume.sizeBytes - offset } = plan;
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;
  if (isCount(offset) && isCount(length) && offset + length <= volume.sizeBytes) return { offset, length };
  const wanted = `${plan.length ?? "all"} bytes from ${offset}`;
  throw new GarrisonError("usage", `the stream has ${volume.sizeBytes} bytes: ${wanted} are not in it`);
}

interface StreamRestore {
  readonly dependencies: RestoreDependencies;
  readonly plan: StreamRestorePlan;
  readonly reader: VolumeReader;
  readonly crew: BlockCrew;
  readonly chunks: ChunkReader;
  readonly range: ByteRange;
  readonly digest: Hash;
}

/** A chunk with where it lies in the stream. */
interface PlacedChunk {
  readonly block: number;
  readonly offset: number;
  readonly address: ChunkAddress;
}

/** Neighbours that are fetched together. */
type ChunkGroup = readonly PlacedChunk[];

/** Groups are fetched ahead, their chunks opened by the crew, and written in order: no stage waits for a group's end. */
async function writeRange(restore: StreamRestore, call: StoreCall): Promise<number> {
  const { plan, crew, digest } = restore;
  const { signal } = call;
  const atOnce = { concurrency: plan.concurrency ?? defaultConcurrency, signal };
  const fetched = mapConcurrent(listGroups(restore), atOnce, (group) => fetchGroup(restore, group, call));
  const opened = mapConcurrent(
    listFetched(restore, fetched),
    { concurrency: crew.busyJobs + chunksAround, signal },
    (chunk) => openChunk(restore, chunk, call),
  );
  let bytesWritten = 0;
  for await (const { slot, wanted } of opened) {
    digest.update(wanted);
    await writeBytes(plan.target, wanted, call);
    bytesWritten += wanted.length;
    crew.giveBack(slot);
  }
  return bytesWritten;
}

async function* listGroups(restore: StreamRestore): AsyncGenerator<ChunkGroup> {
  let group: PlacedChunk[] = [];
  let bytes = 0;
  for await (const chunk of listChunks(restore)) {
    const plainBytes = plainBytesOf(chunk.address);
    if (group.length > 0 && (bytes + plainBytes > groupBytes || group.length === groupChunks)) {
      yield group;
      [group, bytes] = [[], 0];
    }
    group.push(chunk);
    bytes += plainBytes;
  }
  if (group.length > 0) yield group;
}

async function* listChunks({ reader, range }: StreamRestore): AsyncGenerator<PlacedChunk> {
  for await (const { number, offset, leaf } of walkStream(reader, range)) {
    let at = offset;
    for (const [slot, address] of leaf.entries()) {
      if (address === undefined) break;
      const end = at + plainBytesOf(address);
      const isWanted = end > range.offset && at < range.offset + range.length;
      if (isWanted) yield { block: number * leafEntries + slot, offset: at, address };
      at = end;
    }
  }
}

interface FetchedRange {
  readonly range: ChunkRange;
  readonly bytes: Uint8Array;
  /** Chunks that have not been opened yet: their memory is given back with the last one. */
  unopened: number;
}

interface FetchedChunk extends PlacedChunk {
  readonly fetched: FetchedRange;
}

async function fetchGroup(
  restore: StreamRestore,
  chunks: ChunkGroup,
  call: StoreCall,
): Promise<readonly FetchedChunk[]> {
  const ranges = new Map<number, FetchedRange>();
  const options = { concurrency: fetchesAtOnce, signal: call.signal };
  const fetch = async (range: ChunkRange) => ({
    range,
    bytes: await restore.chunks.fetch(range, call),
    unopened: range.chunks.length,
  });
  for await (const fetched of mapConcurrent(planRanges(chunks), options, fetch)) {
    for (const chunk of fetched.range.chunks) ranges.set(chunk.block, fetched);
  }
  return chunks.map((chunk) => ({ ...chunk, fetched: ranges.get(chunk.block)! }));
}

async function* listFetched(
  { dependencies, reader }: StreamRestore,
  groups: AsyncIterable<readonly FetchedChunk[]>,
): AsyncGenerator<FetchedChunk> {
  const { volumeId, blocksHeld: blocksTotal } = reader.volume;
  let [blocksDone, bytesRead] = [0, 0];
  for await (const group of groups) {
    yield* group;
    blocksDone += group.length;
    for (const { range } of new Set(group.map((chunk) => chunk.fetched))) bytesRead += range.length;
    dependencies.onProgress?.({ volumeId, blocksDone, blocksTotal, bytesRead, bytesStored: 0 });
  }
}

async function openChunk(restore: StreamRestore, chunk: FetchedChunk, call: StoreCall) {
  const { offset, address, fetched } = chunk;
  const plainBytes = plainBytesOf(address);
  const recovered = await restore.chunks.recover({ ...fetched, address }, call);
  if (--fetched.unopened === 0) freeMemory(fetched.bytes);
  if (!("damage" in recovered)) {
    const { range: part } = restore;
    const start = Math.max(0, part.offset - offset);
    const end = Math.min(plainBytes, part.offset + part.length - offset);
    return { slot: recovered.slot, wanted: recovered.slot.plain.subarray(start, end) };
  }
  const { volumeId } = restore.reader.volume;
  const where = `byte ${address.offset} of ${rangeName(restore.dependencies.keys, address)}`;
  const which = `bytes ${offset}-${offset + plainBytes - 1} of ${volumeId}`;
  throw new GarrisonError("chunk-damaged", `${which} at ${where} are damaged (${recovered.damage})`, {
    details: { volumeId, offset, length: plainBytes, reason: recovered.damage },
  });
}

/** Chunks that are each what they should be may still be the wrong ones, where a writer's map was wrong. */
function checkWhole(
  volume: RecordVolume,
  written: { readonly range: ByteRange; readonly bytesWritten: number; readonly sha256: string },
): void {
  const { range, bytesWritten, sha256 } = written;
  if (bytesWritten !== range.length) {
    const reason = `its map leads to ${bytesWritten} of ${range.length} bytes`;
    throw new GarrisonError("stream-mismatch", `${volume.volumeId} is not whole: ${reason}`);
  }
  if (range.length < volume.sizeBytes || sha256 === volume.sha256) return;
  const reason = `its SHA-256 is ${sha256}, not ${volume.sha256}`;
  throw new GarrisonError("stream-mismatch", `${volume.volumeId} is another stream: ${reason}`);
}
