import { blockSizeBytes } from "../disk/block-source.ts";
import { leafEntries } from "../format/format-limits.ts";
import type { ChunkAddress } from "../format/page-reference.ts";
import type { LookAlikes } from "./look-alikes.ts";
import type { BaseVolume, FoundBlock } from "./page-window.ts";

/** A base's volume that holds what this one holds, so many blocks further on. */
interface Champion {
  readonly volume: BaseVolume;
  readonly shift: number;
}

/** A leaf is asked for so many blocks before it is needed. */
const blocksAhead = 64;
/** Without a hit for so many blocks, nothing is read ahead any more. */
const patience = leafEntries;

/**
 * Looks for the blocks of one volume in look-alikes. Blocks repeat mostly at the same place, or in runs that moved as a
 * whole: the base that held the last one is the champion, and its leaf for the place where the reading goes on is there
 * before the blocks come. Whatever else is in the leaves at hand is found by id.
 */
export class SimilarBlocks {
  readonly #lookAlikes: LookAlikes;
  readonly #lastBlock: number;
  #champion: Champion | undefined;
  #missed = 0;
  #leaf = -1;

  constructor(lookAlikes: LookAlikes, sizeBytes: number) {
    this.#lookAlikes = lookAlikes;
    this.#lastBlock = Math.ceil(sizeBytes / blockSizeBytes) - 1;
  }

  /** Tables by which a thread can tell that a block is worth a question before it is compressed. */
  get known(): readonly SharedArrayBuffer[] {
    return this.#lookAlikes.known;
  }

  /** Says which block comes next, in ascending order: after it, the champion's leaf for it is there. */
  approach(block: number): Promise<void> {
    const approached = this.#readAhead(block);
    approached.catch(() => undefined); // reported to whoever waits
    return approached;
  }

  /** Where a look-alike holds this very block. */
  async find(id: Uint8Array, block: number): Promise<ChunkAddress | undefined> {
    const found = this.#findInPlace(id, block) ?? (await this.#lookAlikes.find(id));
    if (found === undefined) return undefined;
    this.#missed = 0;
    this.#champion = { volume: found.volume, shift: found.block - block };
    return found.address;
  }

  async #readAhead(block: number): Promise<void> {
    const leaf = Math.floor(block / leafEntries);
    if (leaf > this.#leaf) this.#lookAlikes.allowPage();
    this.#leaf = Math.max(leaf, this.#leaf);
    const champion = this.#champion;
    if (champion === undefined || this.#missed++ > patience) return;
    const ahead = this.#load(champion, block + blocksAhead);
    ahead.catch(() => undefined); // reported to whoever gets there
    await this.#load(champion, block);
  }

  #findInPlace(id: Uint8Array, block: number): FoundBlock | undefined {
    const champion = this.#champion;
    return champion === undefined
      ? undefined
      : this.#lookAlikes.pages.findAt(champion.volume, block + champion.shift, id);
  }

  async #load({ volume, shift }: Champion, block: number): Promise<void> {
    const place = Math.min(block, this.#lastBlock) + shift;
    if (place >= 0) await this.#lookAlikes.load(volume, Math.floor(place / leafEntries));
  }
}
