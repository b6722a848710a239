import type { BlockCrew } from "../blocks/block-crew.ts";
import type { BlockSlot } from "../blocks/block-slot.ts";
import type { PreparedBlock } from "../blocks/block-work.ts";
import { blockSizeBytes } from "../disk/block-source.ts";
import type { ChunkAddress } from "../format/page-reference.ts";
import type { SimilarBlocks } from "./similar-blocks.ts";

export interface BlockFinder {
  readonly crew: BlockCrew;
  /** Absent: there is nothing to look in, and nothing is spent on it. */
  readonly similar: SimilarBlocks | undefined;
}

export interface BlockToFind {
  readonly index: number;
  readonly sha256?: Uint8Array | undefined;
  /** What the parent holds at this place. */
  readonly before: ChunkAddress | undefined;
}

/**
 * The address of the block in the slot where the parent holds it at this place or a look-alike anywhere, or the block ready
 * to be stored. A thread stops before it compresses when it meets an id that may be known; only then is there a question
 * to answer here, and only an answer of no sends the block through a thread again.
 */
export async function findOrPrepare(
  { crew, similar }: BlockFinder,
  slot: BlockSlot,
  block: BlockToFind,
): Promise<{ readonly address: ChunkAddress } | { readonly prepared: Required<PreparedBlock> }> {
  const { index, sha256, before } = block;
  const job = { plainBytes: blockSizeBytes, sha256 };
  const first = await crew.prepare(slot, { ...job, expectedId: before?.id, known: similar?.known });
  if (isPacked(first)) return { prepared: first };
  if (before !== undefined && Buffer.compare(before.id, first.id) === 0) return { address: before };
  const address = await similar?.find(first.id, index);
  if (address !== undefined) return { address };
  return { prepared: (await crew.prepare(slot, job)) as Required<PreparedBlock> };
}

function isPacked(prepared: PreparedBlock): prepared is Required<PreparedBlock> {
  return prepared.payload !== undefined;
}
