import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { maxPartBytes } from "./format-limits.ts";

/** More than a compressed frame can exceed its content by, and than the least buffer there is. */
const spareBytes = 1024;

/** What is sealed for a page, table or hooks: codec, plain length, bytes. */
export function packPayload(plain: Uint8Array): Uint8Array {
  // Told the size, the compressor takes memory for a page instead of for a stream of any length: half the time.
  const size = { pledgedSrcSize: plain.length, chunkSize: plain.length + spareBytes };
  const compressed = zstdCompressSync(plain, size);
  const isSmaller = compressed.length < plain.length;
  return new ByteWriter(plain.length + 5)
    .u8(isSmaller ? 1 : 0)
    .u32(plain.length)
    .bytes(isSmaller ? compressed : plain)
    .finish();
}

export function unpackPayload(payload: Uint8Array, what: string): Uint8Array {
  const reader = new ByteReader(payload, what);
  const codec = reader.u8();
  const length = reader.u32();
  if (codec > 1 || length > maxPartBytes) throw reader.malformed("its payload makes no sense");
  const body = reader.bytes(reader.remaining);
  const plain = codec === 0 ? body : inflate(body, length);
  if (plain === undefined || plain.length !== length)
    throw reader.malformed("its payload has another length");
  return plain;
}

function inflate(body: Uint8Array, length: number): Uint8Array | undefined {
  try {
    return zstdDecompressSync(body, { maxOutputLength: Math.max(length, 1), chunkSize: length + spareBytes });
  } catch {
    return undefined;
  }
}
