import { hash } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import type { VolumeProgress } from "../backup/backup-plan.ts";
import { openBlockCrew, type BlockCrew, type OpenBlockCrew } from "../blocks/block-crew.ts";
import type { BlockSlot } from "../blocks/block-slot.ts";
import { blockSizeBytes } from "../disk/block-source.ts";
import type { BlockTarget, TargetSummary } from "../disk/block-target.ts";
import { planRanges, type ChunkRange, type WantedChunk } from "./chunk-ranges.ts";
import { freeMemory } from "../blocks/free-memory.ts";
import { openChunkReader, rangeName, type ChunkReader } from "./chunk-reader.ts";
import { leafEntries } from "../format/format-limits.ts";
import type { Leaf } from "../format/leaf-page.ts";
import { seriesHash } from "../format/object-names.ts";
import type { ChunkAddress } from "../format/page-reference.ts";
import type { DomainKeys, SessionKeySource } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { clipRuns, joinRuns, spansOf, type BlockRun, type ByteSpan } from "../repair/block-runs.ts";
import { requireWhole } from "./require-whole.ts";
import { skipDamagedChunks, skipDamagedPages } from "./skip-damaged.ts";
import { openForwardReader } from "../point/forward-reader.ts";
import { readImageVolume } from "../point/read-image-volume.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import { walkVolume } from "../point/walk-volume.ts";

export interface RestoreDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly sessionKeys: SessionKeySource;
  readonly logger: Logger;
  /** Who opens and verifies; default: `openBlockCrew`. */
  readonly openCrew?: OpenBlockCrew;
  readonly onProgress?: (progress: VolumeProgress) => void;
}

export interface RestorePlan {
  readonly series: string;
  /** Session id of the restore point. */
  readonly point: string;
  readonly volumeId: string;
  readonly target: BlockTarget;
  /** Groups of blocks (8 MiB at most) under way at once; default 3. */
  readonly concurrency?: number;
  /** Threads that open and verify; default one a core (8 at most), 0 does it in the caller's thread. */
  readonly threads?: number;
  /** What is lost of the volume is written as zeros and told in the summary, instead of stopping the restore. */
  readonly skipDamaged?: boolean;
}

export interface RestoreSummary extends TargetSummary {
  readonly volumeId: string;
  readonly sizeBytes: number;
  /** With `skipDamaged`: bytes that are zero because they could not be read, ascending. */
  readonly lost: readonly ByteSpan[];
}

const defaultConcurrency = 3;
// 8 MiB a read at most: 131,000 requests a TiB, and little to hold.
const groupBlocks = 16;
/** Blocks that are opened besides those that the threads are busy with, and blocks that are being written. */
const blocksAround = 2;
const writesAtOnce = 16;

/**
 * Writes one volume of a restore point to `target` and completes it. Every block is opened and its id compared before
 * it is written; the first that is damaged stops the restore with its name (`chunk-damaged`, `page-damaged`, ...), and
 * the target is then not completed. What a check has noted as lost is refused before anything is written
 * (`point-damaged`). The caller closes the target.
 */
export async function restoreVolume(
  dependencies: RestoreDependencies,
  plan: RestorePlan,
  call: StoreCall,
): Promise<RestoreSummary> {
  const { keys } = dependencies;
  const volume = await readImageVolume(dependencies, plan, call);
  const series = seriesHash(keys, plan.series);
  const lost: BlockRun[] = [];
  const crew = (dependencies.openCrew ?? openBlockCrew)(keys.idKey, { threads: plan.threads });
  try {
    const forwards = openForwardReader(dependencies);
    const reader = openVolumeReader({ ...dependencies, forwards }, { series, volume }, call);
    const chunks = openChunkReader({ ...dependencies, forwards, crew });
    if (plan.skipDamaged === true) {
      const onLoss = (run: BlockRun) => void lost.push(run);
      const skipping = {
        reader: skipDamagedPages(reader, onLoss),
        chunks: skipDamagedChunks(chunks, crew, onLoss),
      };
      await writeBlocks({ dependencies, plan, crew, ...skipping }, call);
    } else {
      await requireWhole(dependencies, { reader, point: plan.point }, call);
      await writeBlocks({ dependencies, plan, reader, crew, chunks }, call);
    }
  } finally {
    await crew.close();
  }
  const written = await plan.target.complete(call);
  const { volumeId, sizeBytes } = volume;
  return {
    ...written,
    volumeId,
    sizeBytes,
    lost: spansOf(clipRuns(joinRuns(lost), blocksOf(sizeBytes)), sizeBytes),
  };
}

function blocksOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockSizeBytes);
}

interface Restore {
  readonly dependencies: RestoreDependencies;
  readonly plan: RestorePlan;
  readonly reader: VolumeReader;
  readonly crew: BlockCrew;
  readonly chunks: ChunkReader;
}

/** A run of blocks that is fetched together. */
interface BlockGroup {
  readonly firstBlock: number;
  readonly entries: readonly (ChunkAddress | undefined)[];
}

/**
 * Groups are fetched ahead, their blocks opened by the crew, and the writes begun in order: no stage waits for a group's end.
 */
async function writeBlocks(restore: Restore, call: StoreCall): Promise<void> {
  const { plan, crew } = restore;
  const { signal } = call;
  const atOnce = { concurrency: plan.concurrency ?? defaultConcurrency, signal };
  const fetched = mapConcurrent(listGroups(restore), atOnce, (group) => fetchGroup(restore, group, call));
  const opened = mapConcurrent(
    listBlocks(restore, fetched),
    { concurrency: crew.busyJobs + blocksAround, signal },
    (block) => openBlock(restore, block, call),
  );
  const writes: Promise<void>[] = [];
  try {
    for await (const block of opened) {
      writes.push(writeBlock(restore, block, call));
      writes.at(-1)!.catch(() => undefined); // reported when its turn comes
      if (writes.length >= writesAtOnce) await writes.shift();
    }
    while (writes.length > 0) await writes.shift();
  } finally {
    await Promise.allSettled(writes);
  }
}

async function* listGroups(restore: Restore): AsyncGenerator<BlockGroup> {
  const { reader, plan } = restore;
  const blocks = blocksOf(reader.volume.sizeBytes);
  const withEmpty = !plan.target.isZeroFilled;
  for await (const { number, leaf } of walkVolume(reader, { withEmpty })) {
    const first = number * leafEntries;
    const end = Math.min(leafEntries, blocks - first);
    for (let slot = 0; slot < end; slot += groupBlocks) {
      const entries = entriesOf(leaf, slot, Math.min(end, slot + groupBlocks));
      if (withEmpty || entries.some((entry) => entry !== undefined))
        yield { firstBlock: first + slot, entries };
    }
  }
}

function entriesOf(
  leaf: Leaf | undefined,
  start: number,
  end: number,
): readonly (ChunkAddress | undefined)[] {
  return leaf?.slice(start, end) ?? Array.from({ length: end - start }, () => undefined);
}

interface FetchedRange {
  readonly range: ChunkRange;
  readonly bytes: Uint8Array;
  /** Chunks that have not been opened yet: their memory is given back with the last one. */
  unopened: number;
}

interface FetchedGroup extends BlockGroup {
  readonly ranges: ReadonlyMap<number, FetchedRange>;
}

async function fetchGroup(restore: Restore, group: BlockGroup, call: StoreCall): Promise<FetchedGroup> {
  const wanted: WantedChunk[] = [];
  for (const [slot, address] of group.entries.entries()) {
    if (address !== undefined) wanted.push({ block: group.firstBlock + slot, address });
  }
  const ranges = new Map<number, FetchedRange>();
  const options = { concurrency: 4, signal: call.signal };
  const fetch = async (range: ChunkRange) => ({
    range,
    bytes: await restore.chunks.fetch(range, call),
    unopened: range.chunks.length,
  });
  for await (const fetched of mapConcurrent(planRanges(wanted), options, fetch)) {
    for (const chunk of fetched.range.chunks) ranges.set(chunk.block, fetched);
  }
  return { ...group, ranges };
}

interface WantedBlock {
  readonly index: number;
  readonly address: ChunkAddress | undefined;
  readonly fetched: FetchedRange | undefined;
}

async function* listBlocks(
  restore: Restore,
  groups: AsyncIterable<FetchedGroup>,
): AsyncGenerator<WantedBlock> {
  const { dependencies, plan, reader } = restore;
  const { volumeId, blocksHeld: blocksTotal } = reader.volume;
  let [blocksDone, bytesRead] = [0, 0];
  for await (const group of groups) {
    for (const [slot, address] of group.entries.entries()) {
      const index = group.firstBlock + slot;
      if (address !== undefined || !plan.target.isZeroFilled)
        yield { index, address, fetched: group.ranges.get(index) };
    }
    blocksDone += group.entries.filter((entry) => entry !== undefined).length;
    for (const { range } of new Set(group.ranges.values())) bytesRead += range.length;
    dependencies.onProgress?.({ volumeId, blocksDone, blocksTotal, bytesRead, bytesStored: 0 });
  }
}

const zeroBlock = new Uint8Array(blockSizeBytes);
const zeroSha256 = hash("sha256", zeroBlock, "buffer");

interface OpenedBlock {
  readonly index: number;
  readonly sha256: Uint8Array;
  /** Absent for a block of zeros. */
  readonly slot?: BlockSlot;
}

async function writeBlock(restore: Restore, block: OpenedBlock, call: StoreCall): Promise<void> {
  const { index, sha256, slot } = block;
  await restore.plan.target.write({ index, bytes: slot?.plain ?? zeroBlock, sha256 }, call);
  if (slot !== undefined) restore.crew.giveBack(slot);
}

async function openBlock(
  restore: Restore,
  { index, address, fetched }: WantedBlock,
  call: StoreCall,
): Promise<OpenedBlock> {
  if (address === undefined || fetched === undefined) return { index, sha256: zeroSha256 };
  const recovered = await restore.chunks.recover({ ...fetched, address }, call);
  if (--fetched.unopened === 0) freeMemory(fetched.bytes);
  if (!("damage" in recovered)) return { index, ...recovered };
  const where = `byte ${address.offset} of ${rangeName(restore.dependencies.keys, address)}`;
  throw new GarrisonError(
    "chunk-damaged",
    `block ${index} of ${restore.plan.volumeId} at ${where} is damaged (${recovered.damage})`,
    { details: { volumeId: restore.plan.volumeId, block: index, reason: recovered.damage } },
  );
}
