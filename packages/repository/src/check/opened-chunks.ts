import type { ChunkAddress } from "../format/page-reference.ts";
import { packKey, packOf } from "../repair/lost-items.ts";

/** Some 16 MiB: half a TiB of a stream. What finds no room is opened again where it comes again. */
const defaultLimit = 500_000;

/**
 * Chunks that a check has opened. In a stream the same chunk lies elsewhere in each point once something was inserted before
 * it: its place doesn't tell that it was looked at already.
 */
export class OpenedChunks {
  readonly #limit: number;
  readonly #offsets = new Map<string, Set<number>>();
  #count = 0;

  constructor(limit = defaultLimit) {
    this.#limit = limit;
  }

  /** Whether it is asked for the first time, as far as is remembered. */
  isNew(address: ChunkAddress): boolean {
    const key = packKey(packOf("pack", address));
    const offsets = this.#offsets.get(key) ?? new Set<number>();
    if (offsets.has(address.offset)) return false;
    if (this.#count >= this.#limit) return true;
    this.#count++;
    this.#offsets.set(key, offsets.add(address.offset));
    return true;
  }
}
