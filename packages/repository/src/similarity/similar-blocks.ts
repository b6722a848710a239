import { blockSizeBytes } from "../disk/block-source.ts";
import { leafEntries } from "../format/format-limits.ts";
import type { ChunkAddress } from "../format/page-reference.ts";
import type { LostItems } from "../repair/lost-items.ts";
import type { LookAlikes } from "./look-alikes.ts";
import type { FoundBlock, PagedVolume } from "./page-window.ts";

/** A volume that holds what this one holds, so many blocks further on. */
interface Champion {
  readonly volume: PagedVolume;
  readonly shift: number;
}

/** A leaf is asked for so many blocks before it is needed. */
const blocksAhead = 64;
/** Without a hit for so many blocks, a run that moved is over. */
const runPatience = leafEntries;

/**
 * Looks for the blocks of one volume in look-alikes. Blocks repeat mostly at the same place, or in runs that moved as a
 * whole. So there are two champions: the volume that held a block at the same place last, for as long as no other does,
 * and the run that is being followed. Their leaves for the place where the reading goes on are there before the blocks
 * come; whatever else is in the leaves at hand is found by id.
 */
export class SimilarBlocks {
  readonly #lookAlikes: LookAlikes;
  readonly #lastBlock: number;
  readonly #lost: LostItems;
  #twin: Champion | undefined;
  #run: Champion | undefined;
  #blocksSinceRun = 0;
  #leaf = -1;
  #begun: Promise<void> | undefined;

  /** `lost`: what nothing may refer to again. */
  constructor(lookAlikes: LookAlikes, sizeBytes: number, lost: LostItems) {
    this.#lookAlikes = lookAlikes;
    this.#lost = lost;
    this.#lastBlock = Math.ceil(sizeBytes / blockSizeBytes) - 1;
  }

  /** Tables by which a thread can tell that a block is worth a question before it is compressed. */
  get known(): readonly SharedArrayBuffer[] {
    return this.#lookAlikes.known;
  }

  /** Says which block comes next, in ascending order: after it, the champions' leaves for it are there. */
  approach(block: number): Promise<void> {
    const approached = this.#approach(block);
    approached.catch(() => undefined); // reported to whoever waits
    return approached;
  }

  /** Where a look-alike holds this very block. */
  async find(id: Uint8Array, block: number): Promise<ChunkAddress | undefined> {
    const found = this.#findInPlace(id, block) ?? (await this.#lookAlikes.find(id));
    if (found === undefined || this.#lost.has("pack", found.address)) return undefined;
    const champion = { volume: found.volume, shift: found.block - block };
    if (champion.shift === 0) this.#twin = champion;
    else {
      this.#run = champion;
      this.#blocksSinceRun = 0;
    }
    return found.address;
  }

  async #approach(block: number): Promise<void> {
    const leaf = Math.floor(block / leafEntries);
    if (leaf > this.#leaf) {
      this.#leaf = leaf;
      this.#lookAlikes.allowPages();
    }
    this.#begun ??= this.#lookAlikes.loadBest(leaf);
    await this.#begun;
    if (++this.#blocksSinceRun > runPatience) this.#run = undefined;
    for (const champion of [this.#twin, this.#run]) {
      if (champion === undefined) continue;
      const ahead = this.#load(champion, block + blocksAhead);
      ahead.catch(() => undefined); // reported to whoever gets there
      await this.#load(champion, block);
    }
  }

  #findInPlace(id: Uint8Array, block: number): FoundBlock | undefined {
    for (const champion of [this.#twin, this.#run]) {
      if (champion === undefined) continue;
      const found = this.#lookAlikes.pages.findAt(champion.volume, block + champion.shift, id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #load({ volume, shift }: Champion, block: number): Promise<void> {
    const place = Math.min(block, this.#lastBlock) + shift;
    if (place >= 0) await this.#lookAlikes.load(volume, Math.floor(place / leafEntries));
  }
}
