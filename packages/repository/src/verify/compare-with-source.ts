import { GarrisonError } from "@garrison/core/garrison-error";
import { hash } from "node:crypto";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { blockSizeBytes, type BlockReference, type BlockSource } from "../disk/block-source.ts";
import { chunkId } from "../format/item-identity.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { appendRun, type BlockRun } from "../repair/block-runs.ts";
import type { SampledBlock } from "./sample-blocks.ts";

export interface SourceComparison {
  readonly blocksCompared: number;
  /** Blocks whose bytes in the source are not those of the point, ascending. */
  readonly differing: readonly BlockRun[];
}

export interface ComparedSource {
  readonly source: BlockSource;
  /** Ascending. */
  readonly blocks: AsyncIterable<SampledBlock>;
  /** Blocks read at once; default 8. */
  readonly concurrency?: number;
}

const defaultConcurrency = 8;
const blocksPerRequest = 256;
const zeroBlock = Buffer.alloc(blockSizeBytes);

/**
 * Reads blocks from the source and compares their keyed ids with those in the map: not a byte of the repository's data is
 * read. Throws `source-invalid` for a source that can't be asked for single blocks.
 */
export async function compareWithSource(
  keys: Pick<DomainKeys, "idKey">,
  compared: ComparedSource,
  call: { readonly signal: AbortSignal },
): Promise<SourceComparison> {
  const { source, concurrency = defaultConcurrency } = compared;
  const buffers: Buffer[] = [];
  const differing: BlockRun[] = [];
  let blocksCompared = 0;
  const compare = async ({ block, reference }: LocatedBlock) => {
    const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(blockSizeBytes);
    const id = await idInSource(keys, { source, reference, buffer }, call);
    buffers.push(buffer);
    return { index: block.index, isEqual: isSameId(id, block.address?.id) };
  };
  const located = locate(source, compared.blocks, call);
  for await (const { index, isEqual } of mapConcurrent(located, { concurrency, ...call }, compare)) {
    blocksCompared++;
    if (!isEqual) appendRun(differing, { first: index, count: 1 });
  }
  return { blocksCompared, differing };
}

interface LocatedBlock {
  readonly block: SampledBlock;
  readonly reference: BlockReference;
}

/** A source is asked for many blocks at once: a listing often names several. */
async function* locate(
  source: BlockSource,
  blocks: AsyncIterable<SampledBlock>,
  call: { readonly signal: AbortSignal },
): AsyncGenerator<LocatedBlock> {
  let asked: SampledBlock[] = [];
  for await (const block of blocks) {
    asked.push(block);
    if (asked.length < blocksPerRequest) continue;
    yield* locateAll(source, asked, call);
    asked = [];
  }
  if (asked.length > 0) yield* locateAll(source, asked, call);
}

async function* locateAll(
  source: BlockSource,
  asked: readonly SampledBlock[],
  call: { readonly signal: AbortSignal },
): AsyncGenerator<LocatedBlock> {
  if (source.locate === undefined) {
    throw new GarrisonError("source-invalid", `${source.identity} can't be asked for single blocks`);
  }
  let next = 0;
  for await (const reference of source.locate(
    asked.map((block) => block.index),
    call,
  )) {
    yield { block: asked[next++]!, reference };
  }
}

/** The id that the block would have; nothing for zeros. */
async function idInSource(
  { idKey }: Pick<DomainKeys, "idKey">,
  wanted: { readonly source: BlockSource; readonly reference: BlockReference; readonly buffer: Buffer },
  call: { readonly signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  const { source, reference, buffer } = wanted;
  if (reference.isZero === true) return undefined;
  const { sha256 } = await source.read(reference, buffer, call);
  if (zeroBlock.equals(buffer)) return undefined;
  return chunkId(idKey, sha256 ?? hash("sha256", buffer, "buffer"));
}

function isSameId(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return Buffer.compare(left, right) === 0;
}
