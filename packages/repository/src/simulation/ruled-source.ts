import { createHash } from "node:crypto";
import { throwIfAborted } from "@garrison/core/clock";
import { blockSizeBytes, type BlockSource } from "../disk/block-source.ts";

/** A model for what would not fit on this machine: a disk made by rule. */
export interface RuledDisk {
  readonly blocks: number;
  /** How many of the blocks hold something, spread evenly. */
  readonly stored: number;
  /** Bytes of each that can't be compressed; the rest is zero. */
  readonly weight?: number;
  /** Blocks that are new in this generation, out of every thousand stored ones; only they are listed. */
  readonly changedPerMille?: number;
  readonly generation?: number;
}

/** The disk as a source: its blocks are made when they are read, and cost next to nothing. */
export function ruledSource(disk: RuledDisk): BlockSource {
  const { blocks, stored, weight = 32, changedPerMille, generation = 0 } = disk;
  const gap = blocks / stored;
  const isListed = (number: number) =>
    changedPerMille === undefined || (number * 7919) % 1000 < changedPerMille;
  return {
    sizeBytes: blocks * blockSizeBytes,
    identity: `ruled:${generation}`,
    coverage: changedPerMille === undefined ? "full" : "changes",
    list: async function* ({ fromBlock = 0, signal }) {
      for (let number = Math.ceil(fromBlock / gap); number < stored; number++) {
        throwIfAborted(signal);
        if (isListed(number)) yield { index: Math.floor(number * gap) };
      }
    },
    read: async ({ index }, into) => {
      const seed = `${generation}/${index}`;
      const content = createHash("shake256", { outputLength: weight }).update(seed).digest();
      into.fill(0, weight, blockSizeBytes);
      into.set(content);
      // As a source that has verified the block gives it: what is stored is never opened in these simulations.
      return { sha256: createHash("sha256").update(seed).digest() };
    },
    close: async () => undefined,
  };
}
