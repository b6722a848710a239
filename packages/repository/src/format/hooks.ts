import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { formatVersion } from "./format-limits.ts";

/**
 * One in 64 chunk ids (six low zero bits), with the leaf that holds it: a later session samples them to find
 * restore points that look alike.
 */
export interface Hook {
  /** First 8 bytes of the chunk id. */
  readonly idPrefix: Uint8Array;
  readonly leaf: number;
}

export const hookBytes = 12;
export const hookPrefixBytes = 8;

export function isHookId(id: Uint8Array): boolean {
  return (id[id.length - 1]! & 63) === 0;
}

/** The hooks of one volume, packed as they are stored: a large volume has half a million of them. */
export class PackedHooks implements Iterable<Hook> {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** `bytes`: 12 for each hook, in the order of their leaves. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length / hookBytes;
  }

  leaf(index: number): number {
    return this.#view.getUint32(index * hookBytes + hookPrefixBytes);
  }

  /** A view of the first 8 bytes of the chunk id. */
  idPrefix(index: number): Uint8Array {
    return this.bytes.subarray(index * hookBytes, index * hookBytes + hookPrefixBytes);
  }

  *[Symbol.iterator](): Generator<Hook> {
    for (let index = 0; index < this.length; index++)
      yield { idPrefix: this.idPrefix(index), leaf: this.leaf(index) };
  }
}

export const noHooks = new PackedHooks(new Uint8Array(0));

export function packHooks(hooks: Iterable<Hook>): PackedHooks {
  const writer = new ByteWriter(1024);
  for (const hook of hooks) writer.bytes(hook.idPrefix).u32(hook.leaf);
  return new PackedHooks(writer.finish());
}

/** In the order of their leaves. */
export function encodeHooks(hooks: PackedHooks): Uint8Array {
  const writer = new ByteWriter(8 + hooks.bytes.length).u8(formatVersion).u8(0).u16(0).u32(hooks.length);
  return writer.bytes(hooks.bytes).finish();
}

/** A view of `bytes`, not a copy. */
export function decodeHooks(bytes: Uint8Array, what: string): PackedHooks {
  const reader = new ByteReader(bytes, what);
  reader.expect(reader.u8(), formatVersion, "the hooks version");
  reader.expect(reader.u8() + reader.u16(), 0, "the reserved field");
  const count = reader.u32();
  if (count * hookBytes !== reader.remaining) throw reader.malformed(`${count} hooks do not fit its size`);
  return new PackedHooks(reader.bytes(reader.remaining));
}
