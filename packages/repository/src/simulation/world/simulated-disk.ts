import { randomBelow, randomFraction, type Random } from "@garrison/core/random";
import { minuteMs } from "@garrison/core/units";
import { blockSizeBytes, type BlockSource } from "../../disk/block-source.ts";
import type { ContentPool } from "./content-pool.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** Blocks by index: the content of each; the others are zero. */
export type DiskState = ReadonlyMap<number, number>;

/** Three leaves under two interior pages, a few blocks in each: small enough to be cheap, wide enough for every path. */
const places = [0, 1, 2, 3, 7, 100, 511, 512, 513, 900, 262_144, 262_145] as const;
export const diskSizeBytes = 262_700 * blockSizeBytes;

/** Writes, overwrites and erases a few blocks. Contents come again now and then: equal blocks are stored once. */
export function changeDisk(state: DiskState, random: Random, contents: ContentPool): DiskState {
  const changed = new Map(state);
  for (let writes = 1 + randomBelow(random, 5); writes > 0; writes--) {
    const block = places[randomBelow(random, places.length)]!;
    if (randomFraction(random) < 0.2) changed.delete(block);
    else changed.set(block, randomBelow(random, contents.size));
  }
  return changed;
}

export interface DiskSourceOptions {
  readonly process: SimulatedProcess;
  readonly contents: ContentPool;
  readonly state: DiskState;
  readonly identity: string;
  /** The parent's state: only what differs is listed, and a little more, as a careful list of changes would. */
  readonly parent?: DiskState;
  /** Share of reads that take minutes. */
  readonly slowRate: number;
}

export function openDiskSource(options: DiskSourceOptions): BlockSource {
  const { process, contents, state, identity, parent, slowRate } = options;
  const indexes = listedBlocks(state, parent);
  return {
    sizeBytes: diskSizeBytes,
    identity,
    coverage: parent === undefined ? "full" : "changes",
    async *list({ fromBlock = 0 }) {
      for (const index of indexes) if (index >= fromBlock) yield { index, isZero: !state.has(index) };
    },
    async read({ index }, into, call) {
      if (randomFraction(process.random) < slowRate) {
        await process.clock.sleep((1 + randomBelow(process.random, 25)) * minuteMs, call.signal);
      }
      const content = state.get(index)!;
      into.set(contents.wordOf(content));
      return { sha256: contents.sha256Of(content) };
    },
    close: async () => undefined,
  };
}

function listedBlocks(state: DiskState, parent: DiskState | undefined): readonly number[] {
  const all = [...new Set([...state.keys(), ...(parent?.keys() ?? [])])].sort((left, right) => left - right);
  if (parent === undefined) return all.filter((index) => state.has(index));
  return all.filter((index, at) => state.get(index) !== parent.get(index) || at % 5 === 0);
}
