import { idBytes, type Codec } from "../format/format-limits.ts";
import { plainBytesOf, withPlainBytes, type ChunkAddress } from "../format/page-reference.ts";

// Columns of a chunk: pack, offset, stored length, twice its plain length and its codec.
const columns = 4;

/**
 * The chunks that this lane stored last, by id: equal blocks elsewhere in the session are stored once. It holds the last
 * `limit` of them in memory that is taken once, without an object each: as objects they would live just long enough to
 * make the collector's young generation grow to its largest.
 */
export class RecentChunks {
  readonly #lane: { readonly session: string; readonly lane: string };
  readonly #limit: number;
  readonly #ids: Buffer;
  readonly #places: Uint32Array;
  /** Rows that share a head follow each other: the number of the next row and 1; 0 ends. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  #added = 0;

  constructor(lane: { readonly session: string; readonly lane: string }, limit: number) {
    this.#lane = { session: lane.session, lane: lane.lane };
    this.#limit = limit;
    this.#ids = Buffer.alloc(limit * idBytes);
    this.#places = new Uint32Array(limit * columns);
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(limit + 1)));
    this.#next = new Int32Array(limit);
  }

  find(id: Uint8Array): ChunkAddress | undefined {
    for (let at = this.#heads[this.#headOf(id)]!; at > 0; at = this.#next[at - 1]!) {
      if (this.#idAt(at - 1).equals(id)) return this.#addressAt(at - 1, id);
    }
    return undefined;
  }

  /** A chunk of this lane that is not among them. The oldest one makes room. */
  add(address: ChunkAddress): void {
    const row = this.#added % this.#limit;
    if (this.#added >= this.#limit) this.#remove(row);
    this.#added++;
    this.#ids.set(address.id, row * idBytes);
    const plainAndCodec = plainBytesOf(address) * 2 + address.codec;
    this.#places.set([address.pack, address.offset, address.length, plainAndCodec], row * columns);
    const head = this.#headOf(address.id);
    this.#next[row] = this.#heads[head]!;
    this.#heads[head] = row + 1;
  }

  #remove(row: number): void {
    const head = this.#headOf(this.#idAt(row));
    if (this.#heads[head] === row + 1) {
      this.#heads[head] = this.#next[row]!;
      return;
    }
    let before = this.#heads[head]! - 1;
    while (this.#next[before] !== row + 1) before = this.#next[before]! - 1;
    this.#next[before] = this.#next[row]!;
  }

  #addressAt(row: number, id: Uint8Array): ChunkAddress {
    const [pack, offset, length, plainAndCodec] = this.#places.subarray(row * columns, (row + 1) * columns);
    const codec = (plainAndCodec! % 2) as Codec;
    const place = { pack: pack!, offset: offset!, length: length! };
    const address = { id: new Uint8Array(id), codec, ...this.#lane, ...place };
    return withPlainBytes(address, Math.floor(plainAndCodec! / 2));
  }

  #idAt(row: number): Buffer {
    return this.#ids.subarray(row * idBytes, (row + 1) * idBytes);
  }

  /** Ids are keyed hashes: any of their bits will do. */
  #headOf(id: Uint8Array): number {
    return ((id[0]! << 16) | (id[1]! << 8) | id[2]!) & (this.#heads.length - 1);
  }
}
