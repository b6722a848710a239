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

export function isHookId(id: Uint8Array): boolean {
  return (id[id.length - 1]! & 63) === 0;
}

/** In the order of their leaves. */
export function encodeHooks(hooks: readonly Hook[]): Uint8Array {
  const writer = new ByteWriter(8 + hooks.length * 12).u8(formatVersion).u8(0).u16(0).u32(hooks.length);
  for (const hook of hooks) writer.bytes(hook.idPrefix).u32(hook.leaf);
  return writer.finish();
}

export function decodeHooks(bytes: Uint8Array, what: string): readonly Hook[] {
  const reader = new ByteReader(bytes, what);
  reader.expect(reader.u8(), formatVersion, "the hooks version");
  reader.expect(reader.u8() + reader.u16(), 0, "the reserved field");
  const count = reader.u32();
  if (count * 12 !== reader.remaining) throw reader.malformed(`${count} hooks do not fit its size`);
  return Array.from({ length: count }, () => ({
    idPrefix: new Uint8Array(reader.bytes(8)),
    leaf: reader.u32(),
  }));
}
