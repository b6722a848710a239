import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { formatVersion, idBytes, leafEntries, type Codec } from "./format-limits.ts";
import type { ChunkAddress } from "./page-reference.ts";
import { RowList } from "./row-list.ts";

/** A leaf of a volume's map: for each of 512 blocks its chunk, or nothing for a zero block. */
export type Leaf = readonly (ChunkAddress | undefined)[];
export type MutableLeaf = (ChunkAddress | undefined)[];

export const leafEntryBytes = 47;
const storedState = 0x10;

export function emptyLeaf(): MutableLeaf {
  return Array.from({ length: leafEntries }, () => undefined);
}

export function storedBlocks(leaf: Leaf): number {
  return leaf.reduce((count, entry) => (entry === undefined ? count : count + 1), 0);
}

/** Equal leaves give equal bytes: rows come in the order of their first use. */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  const rows = new RowList();
  const entries = Buffer.alloc(leafEntries * leafEntryBytes);
  leaf.forEach((entry, slot) => {
    if (entry === undefined) return;
    const at = slot * leafEntryBytes;
    entries.writeUInt8(storedState | entry.codec, at);
    entries.set(entry.id, at + 1);
    entries.writeUInt16BE(rows.numberOf(entry.session, entry.lane), at + 33);
    entries.writeUInt32BE(entry.pack, at + 35);
    entries.writeUInt32BE(entry.offset, at + 39);
    entries.writeUInt32BE(entry.length, at + 43);
  });
  const writer = new ByteWriter(entries.length + 8 + rows.length * 12);
  writer.u8(formatVersion).u8(0).u16(rows.length).u16(leafEntries).u16(0);
  for (const row of rows) writer.hex(row.session).hex(row.lane);
  return writer.bytes(entries).finish();
}

export function decodeLeaf(bytes: Uint8Array, what: string): Leaf {
  const reader = new ByteReader(bytes, what);
  reader.expect(reader.u8(), formatVersion, "the page version");
  reader.expect(reader.u8(), 0, "the level");
  const rowCount = reader.u16();
  reader.expect(reader.u16(), leafEntries, "the number of entries");
  reader.expect(reader.u16(), 0, "the reserved field");
  const rows = Array.from({ length: rowCount }, () => ({ session: reader.hex(8), lane: reader.hex(4) }));
  const leaf = emptyLeaf();
  for (let slot = 0; slot < leafEntries; slot++) {
    const state = reader.u8();
    const entry = { id: new Uint8Array(reader.bytes(idBytes)), row: reader.u16() };
    const place = { pack: reader.u32(), offset: reader.u32(), length: reader.u32() };
    if (state === 0) continue;
    const row = rows[entry.row];
    const codec = state ^ storedState;
    if (row === undefined || codec > 1) throw reader.malformed(`entry ${slot} makes no sense`);
    leaf[slot] = { id: entry.id, ...row, ...place, codec: codec as Codec };
  }
  reader.end();
  return leaf;
}
