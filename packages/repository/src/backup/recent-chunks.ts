import type { ChunkAddress } from "../format/page-reference.ts";

/** The chunks stored last in this session, by id: equal blocks elsewhere in it are stored once. Bounded. */
export class RecentChunks {
  readonly #limit: number;
  readonly #addresses = new Map<string, ChunkAddress>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  find(id: Uint8Array): ChunkAddress | undefined {
    return this.#addresses.get(keyOf(id));
  }

  add(address: ChunkAddress): void {
    this.#addresses.set(keyOf(address.id), address);
    if (this.#addresses.size > this.#limit) this.#addresses.delete(this.#addresses.keys().next().value!);
  }
}

/** Half an id: whoever finds it compares the whole. */
function keyOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, 16).toString("latin1");
}
