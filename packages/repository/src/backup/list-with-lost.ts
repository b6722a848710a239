import { GarrisonError } from "@garrison/core/garrison-error";
import type { BlockReference, BlockSource } from "../disk/block-source.ts";
import type { BlockRun } from "../repair/block-runs.ts";

interface ListCall {
  readonly signal: AbortSignal;
  readonly fromBlock: number;
}

/**
 * A source's own list, and between its blocks those that the parent has lost: they are read although they have not
 * changed. A full read lists all that is there anyway. Throws `parent-unusable` for a list of changes whose source can't
 * name other blocks.
 */
export async function* listWithLost(
  source: BlockSource,
  lostBlocks: readonly BlockRun[],
  call: ListCall,
): AsyncGenerator<BlockReference> {
  const listed = source.list(call);
  if (source.coverage === "full" || lostBlocks.length === 0) return yield* listed;
  if (source.locate === undefined) {
    throw new GarrisonError(
      "parent-unusable",
      `the parent restore point has lost blocks that ${source.identity} can't be asked for one by one`,
    );
  }
  yield* mergeReferences(listed, source.locate(blocksOf(lostBlocks, call.fromBlock), call));
}

function* blocksOf(runs: readonly BlockRun[], fromBlock: number): Generator<number> {
  for (const { first, count } of runs) {
    for (let block = Math.max(first, fromBlock); block < first + count; block++) yield block;
  }
}

/** Both ascending; of two for one block the listed one. */
async function* mergeReferences(
  listed: AsyncIterable<BlockReference>,
  located: AsyncIterable<BlockReference>,
): AsyncGenerator<BlockReference> {
  const others = located[Symbol.asyncIterator]();
  let other = await others.next();
  for await (const reference of listed) {
    for (; other.done !== true && other.value.index < reference.index; other = await others.next()) {
      yield other.value;
    }
    if (other.done !== true && other.value.index === reference.index) other = await others.next();
    yield reference;
  }
  for (; other.done !== true; other = await others.next()) yield other.value;
}
