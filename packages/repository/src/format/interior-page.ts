import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { formatVersion, idBytes, interiorEntries, levelByte, type VolumeKind } from "./format-limits.ts";
import type { PageReference } from "./page-reference.ts";
import { RowList } from "./row-list.ts";

/** An inner page: its children by position; a missing child is all zeros. Level 1 lies over leaves, level 2 is the root. */
export type Interior = readonly (PageReference | undefined)[];
export type MutableInterior = (PageReference | undefined)[];

const entryBytes = 48;
/** The same 48 bytes, then six that count the bytes of the stream below the child. */
const streamEntryBytes = 54;

const blankInterior: Interior = Array.from({ length: interiorEntries }, () => undefined);

export function emptyInterior(): MutableInterior {
  return blankInterior.slice();
}

/** Bytes of a stream below an inner page of its map. */
export function streamBytesBelow(page: Interior): number {
  return page.reduce((sum, child) => sum + (child?.plainBytes ?? 0), 0);
}

/** Trailing missing children are not written. Equal pages give equal bytes. */
export function encodeInterior(level: 1 | 2, page: Interior, kind: VolumeKind = "image"): Uint8Array {
  const used = page.findLastIndex((child) => child !== undefined) + 1;
  const rows = new RowList();
  const entries = new ByteWriter(used * streamEntryBytes);
  for (const child of page.slice(0, used)) {
    if (child === undefined) {
      entries.bytes(new Uint8Array(entryBytes));
      continue;
    }
    entries.bytes(child.id).u16(rows.numberOf(child.session, child.lane));
    entries.u32(child.pack).u32(child.offset).u32(child.length).u16(child.count);
    if (kind === "stream") entries.u48(child.plainBytes!);
  }
  const writer = new ByteWriter(entries.length + 8 + rows.length * 12);
  writer.u8(formatVersion).u8(levelByte(level, kind)).u16(rows.length).u16(used).u16(0);
  for (const row of rows) writer.hex(row.session).hex(row.lane);
  return writer.bytes(entries.finish()).finish();
}

/** A page of a volume's map: its level, and of what kind the volume is. */
export interface PageForm {
  readonly level: 1 | 2;
  readonly kind?: VolumeKind | undefined;
}

export function decodeInterior(form: 1 | 2 | PageForm, bytes: Uint8Array, what: string): Interior {
  const { level, kind = "image" }: PageForm = typeof form === "number" ? { level: form } : form;
  const reader = new ByteReader(bytes, what);
  reader.expect(reader.u8(), formatVersion, "the page version");
  reader.expect(reader.u8(), levelByte(level, kind), "the level");
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
    const below = kind === "stream" ? { plainBytes: reader.u48() } : {};
    const origin = rows[row];
    const isMissing = place.length === 0 && kind === "image";
    if (isMissing) continue;
    // The pages of a stream follow each other: none is missing, and none is empty.
    if (origin === undefined || (kind === "stream" && (place.length === 0 || below.plainBytes === 0)))
      throw reader.malformed(`entry ${slot} makes no sense`);
    page[slot] = { id, ...origin, ...place, ...below };
  }
  reader.end();
  return page;
}
