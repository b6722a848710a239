import { blockSizeBytes } from "../disk/block-source.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import {
  formatVersion,
  idBytes,
  leafEntries,
  levelByte,
  maxStreamChunkBytes,
  type Codec,
  type VolumeKind,
} from "./format-limits.ts";
import { plainBytesOf, withPlainBytes, type ChunkAddress } from "./page-reference.ts";
import { RowList } from "./row-list.ts";

/**
 * A leaf of a volume's map: for each of 512 blocks its chunk, or nothing for a zero block. In the map of a stream: up to
 * 512 chunks in their order, then nothing.
 */
export type Leaf = readonly (ChunkAddress | undefined)[];
export type MutableLeaf = (ChunkAddress | undefined)[];

export const leafEntryBytes = 47;
/** The same 47 bytes, then three of plain length. */
export const streamEntryBytes = 50;
const storedState = 0x10;

const blankLeaf: Leaf = Array.from({ length: leafEntries }, () => undefined);

export function emptyLeaf(): MutableLeaf {
  return blankLeaf.slice();
}

export function storedBlocks(leaf: Leaf): number {
  return leaf.reduce((count, entry) => (entry === undefined ? count : count + 1), 0);
}

/** Bytes of a stream that a leaf of its map stands for. */
export function streamBytesOf(leaf: Leaf): number {
  return leaf.reduce((sum, entry) => (entry === undefined ? sum : sum + plainBytesOf(entry)), 0);
}

/** Equal leaves give equal bytes: rows come in the order of their first use. */
export function encodeLeaf(leaf: Leaf, kind: VolumeKind = "image"): Uint8Array {
  const rows = new RowList();
  const used = kind === "stream" ? storedBlocks(leaf) : leafEntries;
  const entryBytes = kind === "stream" ? streamEntryBytes : leafEntryBytes;
  const entries = Buffer.alloc(used * entryBytes);
  leaf.forEach((entry, slot) => {
    if (entry === undefined) return;
    const at = slot * entryBytes;
    entries.writeUInt8(storedState | entry.codec, at);
    entries.set(entry.id, at + 1);
    entries.writeUInt16BE(rows.numberOf(entry.session, entry.lane), at + 33);
    entries.writeUInt32BE(entry.pack, at + 35);
    entries.writeUInt32BE(entry.offset, at + 39);
    entries.writeUInt32BE(entry.length, at + 43);
    if (kind === "stream") entries.writeUIntBE(plainBytesOf(entry), at + leafEntryBytes, 3);
  });
  const writer = new ByteWriter(entries.length + 8 + rows.length * 12);
  writer.u8(formatVersion).u8(levelByte(0, kind)).u16(rows.length).u16(used).u16(0);
  for (const row of rows) writer.hex(row.session).hex(row.lane);
  return writer.bytes(entries).finish();
}

export function decodeLeaf(bytes: Uint8Array, what: string, kind: VolumeKind = "image"): Leaf {
  const reader = new ByteReader(bytes, what);
  reader.expect(reader.u8(), formatVersion, "the page version");
  reader.expect(reader.u8(), levelByte(0, kind), "the level");
  const rowCount = reader.u16();
  const used = reader.u16();
  if (kind === "image") reader.expect(used, leafEntries, "the number of entries");
  else if (used === 0 || used > leafEntries) throw reader.malformed(`it has ${used} entries`);
  reader.expect(reader.u16(), 0, "the reserved field");
  const rows = Array.from({ length: rowCount }, () => ({ session: reader.hex(8), lane: reader.hex(4) }));
  const leaf = emptyLeaf();
  for (let slot = 0; slot < used; slot++) {
    const state = reader.u8();
    if (state === 0 && kind === "image") {
      reader.bytes(leafEntryBytes - 1);
      continue;
    }
    const entry = { id: new Uint8Array(reader.bytes(idBytes)), row: reader.u16() };
    const place = { pack: reader.u32(), offset: reader.u32(), length: reader.u32() };
    const plainBytes = kind === "stream" ? readPlainBytes(reader, slot) : blockSizeBytes;
    const row = rows[entry.row];
    const codec = state ^ storedState;
    if (row === undefined || codec > 1) throw reader.malformed(`entry ${slot} makes no sense`);
    leaf[slot] = withPlainBytes({ id: entry.id, ...row, ...place, codec: codec as Codec }, plainBytes);
  }
  reader.end();
  return leaf;
}

function readPlainBytes(reader: ByteReader, slot: number): number {
  const plainBytes = reader.u24();
  if (plainBytes === 0 || plainBytes > maxStreamChunkBytes) {
    throw reader.malformed(`the chunk of entry ${slot} has ${plainBytes} bytes`);
  }
  return plainBytes;
}
