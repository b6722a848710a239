import { GarrisonError } from "@garrison/core/garrison-error";

/** Reads big-endian fields off bytes that came from outside; anything out of bounds is `object-malformed`. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #position = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u24(): number {
    return this.#bytes.readUIntBE(this.#take(3), 3);
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  u48(): number {
    return this.#bytes.readUIntBE(this.#take(6), 6);
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  hex(length: number): string {
    return Buffer.from(this.bytes(length)).toString("hex");
  }

  /** Unsigned LEB128, at most 2^49. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 7; shift++) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** (shift * 7);
      if (byte < 0x80) return value;
    }
    throw this.malformed("a number is too long");
  }

  /** A field that has one legal value. */
  expect(actual: number, wanted: number, field: string): void {
    if (actual !== wanted) throw this.malformed(`${field} is ${actual}, not ${wanted}`);
  }

  end(): void {
    if (this.remaining !== 0) throw this.malformed(`${this.remaining} bytes too many`);
  }

  malformed(reason: string): GarrisonError {
    return new GarrisonError("object-malformed", `${this.#what}: ${reason}`);
  }

  #take(length: number): number {
    if (length > this.remaining) throw this.malformed(`ends ${length - this.remaining} bytes too early`);
    const start = this.#position;
    this.#position += length;
    return start;
  }
}
