import type { Random } from "@garrison/core/random";
import { blockSizeBytes } from "../disk/block-source.ts";
import { interiorEntries, leafEntries } from "../format/format-limits.ts";
import type { ChunkAddress, PageReference } from "../format/page-reference.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import { drawDistinct } from "./draw-distinct.ts";

export interface SampledBlock {
  readonly index: number;
  /** Nothing: the point says that it is zero. */
  readonly address: ChunkAddress | undefined;
}

export interface BlockSample {
  /** Blocks drawn from those that hold something. */
  readonly held: number;
  /** Blocks drawn from all of the volume. */
  readonly anywhere: number;
  readonly random: Random;
}

/**
 * Draws blocks of a volume and tells them in ascending order, each once. Half empty volumes are common, so that blocks are
 * drawn from those that hold something and from all of them apart; counts beyond what there is draw everything. Reads the
 * pages that the drawn blocks are in, and the inner ones.
 */
export async function* sampleBlocks(reader: VolumeReader, sample: BlockSample): AsyncGenerator<SampledBlock> {
  const { random } = sample;
  const { blocksHeld, sizeBytes } = reader.volume;
  const blocks = Math.ceil(sizeBytes / blockSizeBytes);
  const drawn = {
    ranks: drawDistinct(random, { count: sample.held, below: blocksHeld }),
    indexes: drawDistinct(random, { count: sample.anywhere, below: blocks }),
  };
  let [rank, index, heldBefore] = [0, 0, 0];
  for await (const { number, reference } of listLeaves(reader, blocks)) {
    const heldAfter = heldBefore + (reference?.count ?? 0);
    const [firstRank, firstIndex] = [rank, index];
    while (rank < drawn.ranks.length && drawn.ranks[rank]! < heldAfter) rank++;
    while (index < drawn.indexes.length && drawn.indexes[index]! < (number + 1) * leafEntries) index++;
    if (rank > firstRank || index > firstIndex) {
      const ranks = drawn.ranks.slice(firstRank, rank).map((each) => each - heldBefore);
      const slots = drawn.indexes.slice(firstIndex, index).map((each) => each % leafEntries);
      yield* blocksOfLeaf(reader, { number, ranks, slots });
    }
    heldBefore = heldAfter;
  }
}

async function* listLeaves(
  reader: VolumeReader,
  blocks: number,
): AsyncGenerator<{ readonly number: number; readonly reference: PageReference | undefined }> {
  for (let number = 0; number * leafEntries < blocks; number++) {
    const interior = await reader.interior(Math.floor(number / interiorEntries));
    yield { number, reference: interior?.[number % interiorEntries] };
  }
}

async function* blocksOfLeaf(
  reader: VolumeReader,
  wanted: { readonly number: number; readonly ranks: readonly number[]; readonly slots: readonly number[] },
): AsyncGenerator<SampledBlock> {
  const leaf = await reader.leaf(wanted.number);
  const stored = [...(leaf?.keys() ?? [])].filter((slot) => leaf![slot] !== undefined);
  const slots = new Set([...wanted.slots, ...wanted.ranks.flatMap((rank) => stored[rank] ?? [])]);
  for (const slot of [...slots].sort((left, right) => left - right)) {
    yield { index: wanted.number * leafEntries + slot, address: leaf?.[slot] };
  }
}
