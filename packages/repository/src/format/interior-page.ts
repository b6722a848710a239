import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { formatVersion, idBytes, interiorEntries } from "./format-limits.ts";
import type { PageReference } from "./page-reference.ts";
import { RowList } from "./row-list.ts";

/** An inner page: its children by position; a missing child is all zeros. Level 1 lies over leaves, level 2 is the root. */
export type Interior = readonly (PageReference | undefined)[];
export type MutableInterior = (PageReference | undefined)[];

export function emptyInterior(): MutableInterior {
  return Array.from({ length: interiorEntries }, () => undefined);
}

/** Trailing missing children are not written. Equal pages give equal bytes. */
export function encodeInterior(level: 1 | 2, page: Interior): Uint8Array {
  const used = page.findLastIndex((child) => child !== undefined) + 1;
  const rows = new RowList();
  const entries = new ByteWriter(used * 48);
  for (const child of page.slice(0, used)) {
    if (child === undefined) {
      entries.bytes(new Uint8Array(48));
      continue;
    }
    entries.bytes(child.id).u16(rows.numberOf(child.session, child.lane));
    entries.u32(child.pack).u32(child.offset).u32(child.length).u16(child.count);
  }
  const writer = new ByteWriter(entries.length + 8 + rows.length * 12);
  writer.u8(formatVersion).u8(level).u16(rows.length).u16(used).u16(0);
  for (const row of rows) writer.hex(row.session).hex(row.lane);
  return writer.bytes(entries.finish()).finish();
}

export function decodeInterior(level: 1 | 2, bytes: Uint8Array, what: string): Interior {
  const reader = new ByteReader(bytes, what);
  reader.expect(reader.u8(), formatVersion, "the page version");
  reader.expect(reader.u8(), level, "the level");
  const rowCount = reader.u16();
  const used = reader.u16();
  reader.expect(reader.u16(), 0, "the reserved field");
  if (used > interiorEntries) throw reader.malformed(`${used} entries are too many`);
  const rows = Array.from({ length: rowCount }, () => ({ session: reader.hex(8), lane: reader.hex(4) }));
  const page = emptyInterior();
  for (let slot = 0; slot < used; slot++) {
    const id = new Uint8Array(reader.bytes(idBytes));
    const row = reader.u16();
    const place = { pack: reader.u32(), offset: reader.u32(), length: reader.u32(), count: reader.u16() };
    if (place.length === 0) continue;
    const origin = rows[row];
    if (origin === undefined) throw reader.malformed(`entry ${slot} makes no sense`);
    page[slot] = { id, ...origin, ...place };
  }
  reader.end();
  return page;
}
