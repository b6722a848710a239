import { blockSizeBytes } from "../disk/block-source.ts";
import { hash } from "node:crypto";
import type { BlockCrew } from "../blocks/block-crew.ts";
import { interiorBlocks, leafEntries } from "../format/format-limits.ts";
import { isDamage } from "../point/is-damage.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import type { BlockRun } from "../repair/block-runs.ts";
import type { ChunkReader } from "./chunk-reader.ts";
import type { ChunkRange } from "./chunk-ranges.ts";

/** Told of each run of blocks that can't be read; the same may come twice. */
export type OnLoss = (run: BlockRun) => void;

const zeroSha256 = hash("sha256", new Uint8Array(blockSizeBytes), "buffer");

/** A volume whose damaged pages look as if all below them were zero. */
export function skipDamagedPages(reader: VolumeReader, onLoss: OnLoss): VolumeReader {
  const orLost = async <Page>(read: Promise<Page>, run: BlockRun): Promise<Page | undefined> => {
    try {
      return await read;
    } catch (error) {
      if (!isDamage(error)) throw error;
      onLoss(run);
      return undefined;
    }
  };
  const interior = (slot: number) =>
    orLost(reader.interior(slot), { first: slot * interiorBlocks, count: interiorBlocks });
  return {
    ...reader,
    interior,
    async leaf(number) {
      const slot = Math.floor(number / (interiorBlocks / leafEntries));
      if ((await interior(slot)) === undefined) return undefined;
      return orLost(reader.leaf(number), { first: number * leafEntries, count: leafEntries });
    },
  };
}

/** Chunks of which those that are damaged or gone come as zeros. */
export function skipDamagedChunks(
  chunks: ChunkReader,
  crew: Pick<BlockCrew, "borrow">,
  onLoss: OnLoss,
): ChunkReader {
  return {
    ...chunks,
    async fetch(range, call) {
      try {
        return await chunks.fetch(range, call);
      } catch (error) {
        if (!isDamage(error)) throw error;
        return fetchSingly(chunks, range, call);
      }
    },
    async recover(chunk, call) {
      const recovered = await recoverIfWhole(chunks, chunk, call);
      if (recovered !== undefined) return recovered;
      const { offset } = chunk.address;
      for (const { block, address } of chunk.range.chunks) {
        if (address.offset === offset) onLoss({ first: block, count: 1 });
      }
      const slot = crew.borrow();
      slot.plain.fill(0);
      return { slot, sha256: zeroSha256 };
    },
  };
}

/** Also nothing when all that may lead to another copy is of a newer epoch, or says so. */
async function recoverIfWhole(chunks: ChunkReader, ...chunk: Parameters<ChunkReader["recover"]>) {
  try {
    const recovered = await chunks.recover(...chunk);
    return "damage" in recovered ? undefined : recovered;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return undefined;
  }
}

/** What is gone is left out: it does not open, and then counts as damaged. */
async function fetchSingly(
  chunks: ChunkReader,
  range: ChunkRange,
  call: Parameters<ChunkReader["fetch"]>[1],
): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.length);
  for (const chunk of range.chunks) {
    const { offset, length } = chunk.address;
    try {
      bytes.set(
        await chunks.fetch({ ...range, offset, length, chunks: [chunk] }, call),
        offset - range.offset,
      );
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return bytes;
}
