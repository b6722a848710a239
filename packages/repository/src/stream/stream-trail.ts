import type { Logger } from "@garrison/core/logger";
import type { Leaf } from "../format/leaf-page.ts";
import type { ChunkAddress, PageReference } from "../format/page-reference.ts";
import { isDamage } from "../point/is-damage.ts";
import type { HookIndex } from "./hook-index.ts";

/** The leaves of a stream that was stored before, in their order. */
export interface EarlierLeaves {
  readonly leafCount: number;
  leaf(number: number): Promise<Leaf | undefined>;
  leafReference(number: number): Promise<PageReference | undefined>;
  readonly hooks: HookIndex;
}

export interface TrailChunk {
  readonly address: ChunkAddress;
  /** The page that it was found on: a new leaf of equal content is that page. */
  readonly page: PageReference;
}

interface LoadedLeaf {
  readonly entries: Leaf;
  readonly page: PageReference;
}

/** Some 2 GiB of the earlier stream; small against what else a backup holds. */
const keptLeaves = 6;
const leavesAhead = 2;

/**
 * Finds the chunks of an earlier stream again while a new one goes by, with a handful of its leaves in memory: the streams
 * are walked in step. What was inserted does not move the walk; behind a short deletion it goes on within the leaves
 * read ahead; a longer jump is noticed at the next hook (64 chunks on average), from where the walk goes on.
 */
export class StreamTrail {
  readonly #leaves: EarlierLeaves;
  readonly #logger: Logger;
  /** By number, the one used last at the end; nothing for one that can't be read. */
  readonly #loaded = new Map<number, LoadedLeaf | undefined>();
  readonly #chunks = new Map<string, { readonly leaf: number; readonly slot: number }>();

  private constructor(logger: Logger, leaves: EarlierLeaves) {
    this.#logger = logger;
    this.#leaves = leaves;
  }

  /** Stands at the earlier stream's beginning. */
  static async open(dependencies: { readonly logger: Logger }, leaves: EarlierLeaves): Promise<StreamTrail> {
    const trail = new StreamTrail(dependencies.logger, leaves);
    await trail.#loadAhead(-1);
    return trail;
  }

  async find(id: Uint8Array): Promise<TrailChunk | undefined> {
    const number = this.#chunks.get(keyOf(id))?.leaf ?? (await this.#followHook(id));
    if (number === undefined) return undefined;
    const found = this.#findLoaded(id);
    await this.#loadAhead(number);
    return found;
  }

  async #followHook(id: Uint8Array): Promise<number | undefined> {
    const number = this.#leaves.hooks.leafOf(id);
    if (number !== undefined) await this.#load(number);
    return this.#chunks.get(keyOf(id))?.leaf;
  }

  #findLoaded(id: Uint8Array): TrailChunk | undefined {
    const place = this.#chunks.get(keyOf(id));
    const leaf = place === undefined ? undefined : this.#loaded.get(place.leaf);
    const address = leaf?.entries[place!.slot];
    if (address === undefined || Buffer.compare(address.id, id) !== 0) return undefined;
    return { address, page: leaf!.page };
  }

  /** Keeps the leaf that was hit, and reads the next ones. */
  async #loadAhead(number: number): Promise<void> {
    const hit = this.#loaded.get(number);
    if (this.#loaded.delete(number)) this.#loaded.set(number, hit);
    for (let ahead = 1; ahead <= leavesAhead; ahead++) await this.#load(number + ahead);
  }

  async #load(number: number): Promise<void> {
    if (this.#loaded.has(number) || number >= this.#leaves.leafCount) return;
    this.#loaded.set(number, undefined);
    const loaded = await this.#read(number);
    this.#loaded.set(number, loaded);
    for (const [slot, entry] of (loaded?.entries ?? []).entries()) {
      if (entry !== undefined) this.#chunks.set(keyOf(entry.id), { leaf: number, slot });
    }
    while (this.#loaded.size > keptLeaves) this.#forget(this.#loaded.keys().next().value!);
  }

  /** A leaf that is lost or damaged only costs that its chunks are stored again: a stream can't be read a second time. */
  async #read(number: number): Promise<LoadedLeaf | undefined> {
    try {
      const page = await this.#leaves.leafReference(number);
      const entries = await this.#leaves.leaf(number);
      return page === undefined || entries === undefined ? undefined : { page, entries };
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#logger.warn(
        { leaf: number, error: String(error) },
        "a leaf of an earlier stream is not readable",
      );
      return undefined;
    }
  }

  #forget(number: number): void {
    for (const entry of this.#loaded.get(number)?.entries ?? []) {
      if (entry === undefined) continue;
      const key = keyOf(entry.id);
      if (this.#chunks.get(key)?.leaf === number) this.#chunks.delete(key);
    }
    this.#loaded.delete(number);
  }
}

/** Half an id: whoever finds it compares the whole. */
function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, 16).toString("latin1");
}
