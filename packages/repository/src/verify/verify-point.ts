import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { openBlockCrew } from "../blocks/block-crew.ts";
import { blockSizeBytes, type BlockSource } from "../disk/block-source.ts";
import { interiorBlocks, leafEntries } from "../format/format-limits.ts";
import { seriesHash } from "../format/object-names.ts";
import type { DomainKeys, SessionKeySource } from "../keys/keys.ts";
import { readImageVolume } from "../point/read-image-volume.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import { walkChanges, type ChangedPage } from "../point/walk-changes.ts";
import { spansOf, type BlockRun, type ByteSpan } from "../repair/block-runs.ts";
import { measureLoss } from "../repair/measure-loss.ts";
import type { WantedChunk } from "../restore/chunk-ranges.ts";
import { openChunkReader, type ChunkReader } from "../restore/chunk-reader.ts";
import { verifyChunks } from "../restore/verify-chunks.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { compareWithSource } from "./compare-with-source.ts";
import { sampleBlocks, type SampledBlock } from "./sample-blocks.ts";

export interface VerifyDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly sessionKeys: SessionKeySource;
  readonly random: Random;
}

export interface VerifyPlan {
  readonly series: string;
  /** Session id of the restore point. */
  readonly point: string;
  readonly volumeId: string;
  /** Share of the blocks, 0 to 1; default all of them. */
  readonly share?: number;
  /** Given: blocks are compared with it by their ids, and none is read from the repository. */
  readonly source?: BlockSource;
  readonly threads?: number;
}

export interface VerifiedPoint {
  /** Blocks opened, or compared with the source. */
  readonly blocksVerified: number;
  readonly bytesRead: number;
  /** Bytes of the volume that can't be read, ascending. */
  readonly lost: readonly ByteSpan[];
  /** Bytes of the volume that the source has otherwise, ascending. */
  readonly differing: readonly ByteSpan[];
}

/**
 * Reads one volume of a restore point, all of it or a sample (its pages included), and says what is lost. With a source the
 * sampled blocks are compared with it instead: of `n` held blocks and as many drawn from the whole volume, a share `s` of
 * both that differs is missed with a probability of `(1 - s)^2n` at most. Throws `source-invalid` for a source of another
 * size.
 */
export async function verifyPoint(
  dependencies: VerifyDependencies,
  plan: VerifyPlan,
  call: StoreCall,
): Promise<VerifiedPoint> {
  const volume = await readImageVolume(dependencies, plan, call);
  const series = seriesHash(dependencies.keys, plan.series);
  const reader = openVolumeReader(dependencies, { series, volume }, call);
  if (plan.source !== undefined) return compare(dependencies, { reader, plan, source: plan.source }, call);
  const crew = openBlockCrew(dependencies.keys.idKey, { threads: plan.threads });
  try {
    const chunks = openChunkReader({ ...dependencies, crew });
    const verified = { reader, chunks, random: dependencies.random };
    return await (plan.share === undefined || plan.share >= 1
      ? readAll(verified, call)
      : readSample(verified, plan.share, call));
  } finally {
    await crew.close();
  }
}

async function compare(
  dependencies: VerifyDependencies,
  compared: { readonly reader: VolumeReader; readonly plan: VerifyPlan; readonly source: BlockSource },
  call: StoreCall,
): Promise<VerifiedPoint> {
  const { reader, plan, source } = compared;
  const { sizeBytes } = reader.volume;
  if (source.sizeBytes !== sizeBytes) {
    const sizes = `${source.sizeBytes} bytes, the restore point's volume ${sizeBytes}`;
    throw new GarrisonError("source-invalid", `${source.identity} has ${sizes}`);
  }
  const blocks = sampleOf(reader, { share: plan.share ?? 1, random: dependencies.random });
  const found = await compareWithSource(dependencies.keys, { source, blocks }, call);
  return {
    blocksVerified: found.blocksCompared,
    bytesRead: 0,
    lost: [],
    differing: spansOf(found.differing, sizeBytes),
  };
}

function sampleOf(
  reader: VolumeReader,
  sample: { readonly share: number; readonly random: Random },
): AsyncGenerator<SampledBlock> {
  const { share, random } = sample;
  const { blocksHeld, sizeBytes } = reader.volume;
  const blocks = Math.ceil(sizeBytes / blockSizeBytes);
  const count = (of: number) => Math.min(of, Math.ceil(of * share));
  const anywhere = share >= 1 ? blocks : Math.min(blocks, Math.max(1, count(blocksHeld)));
  return sampleBlocks(reader, { held: count(blocksHeld), anywhere, random });
}

interface Verified {
  readonly reader: VolumeReader;
  readonly chunks: ChunkReader;
  readonly random: Random;
}

async function readAll({ reader, chunks }: Verified, call: StoreCall): Promise<VerifiedPoint> {
  const lost: BlockRun[] = [];
  let [blocksVerified, bytesRead] = [0, 0];
  for await (const page of walkChanges({ reader, before: undefined }, call)) {
    if (page.failure !== undefined) lost.push(runOf(page));
    const wanted = chunksOf(page);
    const verified = await verifyChunks(chunks, wanted, call);
    for (const { block } of verified.failures) lost.push({ first: block, count: 1 });
    blocksVerified += wanted.length;
    bytesRead += verified.bytesRead;
  }
  return { blocksVerified, bytesRead, lost: await lostSpans(reader, lost), differing: [] };
}

function runOf({ level, number }: ChangedPage): BlockRun {
  const count = level === 1 ? interiorBlocks : leafEntries;
  return { first: number * count, count };
}

function chunksOf({ number, leaf }: ChangedPage): readonly WantedChunk[] {
  return [...(leaf?.entries() ?? [])].flatMap(([slot, address]) =>
    address === undefined ? [] : [{ block: number * leafEntries + slot, address }],
  );
}

async function lostSpans(reader: VolumeReader, lost: readonly BlockRun[]): Promise<readonly ByteSpan[]> {
  return (await measureLoss(reader, lost)).spans;
}

const blocksAtOnce = 64;

/** All pages are read, so that none that is damaged goes unnoticed; of the blocks a sample of those that hold something. */
async function readSample(verified: Verified, share: number, call: StoreCall): Promise<VerifiedPoint> {
  const { reader, chunks, random } = verified;
  const pages: BlockRun[] = [];
  for await (const page of walkChanges({ reader, before: undefined }, call)) {
    if (page.failure !== undefined) pages.push(runOf(page));
  }
  if (pages.length > 0) {
    return { blocksVerified: 0, bytesRead: 0, lost: await lostSpans(reader, pages), differing: [] };
  }
  const held = Math.max(1, Math.ceil(reader.volume.blocksHeld * share));
  const lost: BlockRun[] = [];
  let [blocksVerified, bytesRead] = [0, 0];
  for await (const group of groupsOf(sampleBlocks(reader, { held, anywhere: 0, random }))) {
    const found = await verifyChunks(chunks, group, call);
    for (const { block } of found.failures) lost.push({ first: block, count: 1 });
    blocksVerified += group.length;
    bytesRead += found.bytesRead;
  }
  return { blocksVerified, bytesRead, lost: await lostSpans(reader, lost), differing: [] };
}

async function* groupsOf(blocks: AsyncIterable<SampledBlock>): AsyncGenerator<readonly WantedChunk[]> {
  let group: WantedChunk[] = [];
  for await (const { index, address } of blocks) {
    if (address !== undefined) group.push({ block: index, address });
    if (group.length < blocksAtOnce) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
