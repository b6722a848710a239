import { hash } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import type { VolumeProgress } from "../backup/backup-plan.ts";
import { openBlockCrew } from "../blocks/block-crew.ts";
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
import { readRecord } from "../point/read-point.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import { walkVolume } from "../point/walk-volume.ts";

export interface RestoreDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly sessionKeys: SessionKeySource;
  readonly logger: Logger;
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
  /** Threads that open and verify; default 2, 0 does it in the caller's thread. */
  readonly threads?: number;
}

export interface RestoreSummary extends TargetSummary {
  readonly volumeId: string;
  readonly sizeBytes: number;
}

const defaultConcurrency = 3;
const defaultThreads = 2;
// 8 MiB a read at most: 131,000 requests a TiB, and little to hold.
const groupBlocks = 16;

/**
 * Writes one volume of a restore point to `target` and completes it. Every block is opened and its id compared before
 * it is written; the first that is damaged stops the restore with its name (`chunk-damaged`, `page-damaged`, ...), and
 * the target is then not completed. The caller closes the target.
 */
export async function restoreVolume(
  dependencies: RestoreDependencies,
  plan: RestorePlan,
  call: StoreCall,
): Promise<RestoreSummary> {
  const { keys } = dependencies;
  const record = await readRecord(dependencies, { series: plan.series, sessionId: plan.point }, call);
  const volume = record.volumes.find((each) => each.volumeId === plan.volumeId);
  if (volume === undefined) {
    throw new GarrisonError("point-missing", `restore point ${plan.point} holds no volume ${plan.volumeId}`);
  }
  const series = seriesHash(keys, plan.series);
  const crew = openBlockCrew(keys.idKey, plan.threads ?? defaultThreads);
  try {
    const reader = openVolumeReader(dependencies, { series, volume }, call);
    const chunks = openChunkReader({ ...dependencies, crew });
    await writeBlocks({ dependencies, plan, reader, chunks }, call);
  } finally {
    await crew.close();
  }
  const written = await plan.target.complete(call);
  return { ...written, volumeId: plan.volumeId, sizeBytes: volume.sizeBytes };
}

interface Restore {
  readonly dependencies: RestoreDependencies;
  readonly plan: RestorePlan;
  readonly reader: VolumeReader;
  readonly chunks: ChunkReader;
}

/** A run of blocks that is fetched together and written in order. */
interface BlockGroup {
  readonly firstBlock: number;
  readonly entries: readonly (ChunkAddress | undefined)[];
}

async function writeBlocks(restore: Restore, call: StoreCall): Promise<void> {
  const { plan, dependencies, reader } = restore;
  const options = { concurrency: plan.concurrency ?? defaultConcurrency, signal: call.signal };
  const fetched = mapConcurrent(listGroups(restore), options, (group) => fetchGroup(restore, group, call));
  let [blocksDone, bytesRead] = [0, 0];
  for await (const group of fetched) {
    await writeGroup(restore, group, call);
    for (const { bytes } of new Set(group.ranges.values())) freeMemory(bytes);
    blocksDone += group.entries.filter((entry) => entry !== undefined).length;
    bytesRead += group.bytesFetched;
    const { volumeId, blocksHeld } = reader.volume;
    dependencies.onProgress?.({ volumeId, blocksDone, blocksTotal: blocksHeld, bytesRead, bytesStored: 0 });
  }
}

async function* listGroups(restore: Restore): AsyncGenerator<BlockGroup> {
  const { reader, plan } = restore;
  const blocks = Math.ceil(reader.volume.sizeBytes / blockSizeBytes);
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
}

interface FetchedGroup extends BlockGroup {
  readonly ranges: ReadonlyMap<number, FetchedRange>;
  readonly bytesFetched: number;
}

async function fetchGroup(restore: Restore, group: BlockGroup, call: StoreCall): Promise<FetchedGroup> {
  const wanted: WantedChunk[] = [];
  for (const [slot, address] of group.entries.entries()) {
    if (address !== undefined) wanted.push({ block: group.firstBlock + slot, address });
  }
  const ranges = new Map<number, FetchedRange>();
  const options = { concurrency: 4, signal: call.signal };
  const fetch = async (range: ChunkRange) => ({ range, bytes: await restore.chunks.fetch(range, call) });
  let bytesFetched = 0;
  for await (const fetched of mapConcurrent(planRanges(wanted), options, fetch)) {
    bytesFetched += fetched.bytes.length;
    for (const chunk of fetched.range.chunks) ranges.set(chunk.block, fetched);
  }
  return { ...group, ranges, bytesFetched };
}

const zeroBlock = new Uint8Array(blockSizeBytes);
const zeroSha256 = hash("sha256", zeroBlock, "buffer");
const blocksAtOnce = 8;

/** Blocks are opened and written several at a time; their writes are begun in order. */
async function writeGroup(restore: Restore, group: FetchedGroup, call: StoreCall): Promise<void> {
  const { target } = restore.plan;
  const options = { concurrency: blocksAtOnce, signal: call.signal };
  const blocks = [...group.entries.keys()].filter(
    (slot) => group.entries[slot] !== undefined || !target.isZeroFilled,
  );
  const writes: Promise<void>[] = [];
  try {
    const open = (slot: number) => openBlock(restore, group, slot);
    for await (const block of mapConcurrent(blocks, options, open)) {
      writes.push(writeBlock(target, block, call));
      writes.at(-1)!.catch(() => undefined); // reported when its turn comes
      if (writes.length >= blocksAtOnce) await writes.shift();
    }
    while (writes.length > 0) await writes.shift();
  } finally {
    await Promise.allSettled(writes);
  }
}

type OpenedBlock = Parameters<BlockTarget["write"]>[0];

async function writeBlock(target: BlockTarget, block: OpenedBlock, call: StoreCall): Promise<void> {
  await target.write(block, call);
  if (block.bytes !== zeroBlock) freeMemory(block.bytes);
}

async function openBlock(restore: Restore, group: FetchedGroup, slot: number) {
  const index = group.firstBlock + slot;
  const address = group.entries[slot];
  if (address === undefined) return { index, bytes: zeroBlock, sha256: zeroSha256 };
  const { range, bytes } = group.ranges.get(index)!;
  const recovered = await restore.chunks.recover(range, bytes, address);
  if (!("damage" in recovered)) return { index, ...recovered };
  const where = `byte ${address.offset} of ${rangeName(restore.dependencies.keys, address)}`;
  throw new GarrisonError(
    "chunk-damaged",
    `block ${index} of ${restore.plan.volumeId} at ${where} is damaged (${recovered.damage})`,
    { details: { volumeId: restore.plan.volumeId, block: index, reason: recovered.damage } },
  );
}
