import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { maxPackBytes, maxPackItems, type Codec } from "./format-limits.ts";
import { parseJson, type JsonObject } from "./json-fields.ts";
import type { ForwardName, PackName } from "./object-names.ts";

/**
 * A forward says where items of a pack are now. Addresses never change, so whoever finds an address's pack gone (or its
 * bytes wrong) looks for the item here. A *move* copies sealed bytes as they are: their key stays that of the pack they
 * were sealed in first, which is the one that the forward is named for. A *repair* points to another copy of the same
 * plain bytes, sealed by another session: it names the pack whose key opens it.
 */
export interface ForwardedItem {
  /** As in the item's address. */
  readonly offset: number;
  readonly length: number;
  /** In the target. */
  readonly newOffset: number;
  readonly newLength: number;
  /** How a chunk was compressed before it was sealed; 0 for pages. */
  readonly codec: Codec;
  /** Whose key opens the bytes; absent: the origin's. */
  readonly sealedIn?: PackName;
}

export interface Forward extends ForwardName {
  /** By offset, each once. */
  readonly items: readonly ForwardedItem[];
}

const itemBytes = 19;

/** What is signed and sealed under the forward's name, which says from where to where. */
export function encodeForward(items: readonly ForwardedItem[]): JsonObject {
  const seals: PackName[] = [];
  const writer = new ByteWriter(items.length * itemBytes);
  for (const item of items) {
    writer.u32(item.offset).u32(item.length).u32(item.newOffset).u32(item.newLength);
    writer.u8(item.codec).u16(item.sealedIn === undefined ? 0 : sealNumber(seals, item.sealedIn));
  }
  return { seals, items: Buffer.from(writer.finish()).toString("base64") };
}

/** Numbers count from 1; 0 is the origin. */
function sealNumber(seals: PackName[], name: PackName): number {
  const { session, lane, number } = name;
  const known = seals.findIndex(
    (seal) => seal.session === session && seal.lane === lane && seal.number === number,
  );
  return known >= 0 ? known + 1 : seals.push({ session, lane, number });
}

/** Throws `object-malformed` for items out of order, too many, or sealed by nobody. */
export function decodeForward(body: Uint8Array, name: ForwardName, what: string): Forward {
  const fields = parseJson(body, what);
  const seals = fields.list("seals", (seal) => ({
    session: seal.hex("session", 8),
    lane: seal.hex("lane", 4),
    number: seal.count("number"),
  }));
  const reader = new ByteReader(fields.bytes("items"), what);
  if (reader.remaining > maxPackItems * itemBytes) throw reader.malformed("it has too many items");
  const items: ForwardedItem[] = [];
  while (reader.remaining > 0) {
    const place = {
      offset: reader.u32(),
      length: reader.u32(),
      newOffset: reader.u32(),
      newLength: reader.u32(),
    };
    const codec = reader.u8();
    const seal = reader.u16();
    const isWithin = place.newOffset + place.newLength <= maxPackBytes;
    const isWhole = seal > 0 || place.newLength === place.length;
    if (codec > 1 || seal > seals.length || !isWithin || !isWhole) {
      throw reader.malformed(`the item at byte ${place.offset} makes no sense`);
    }
    if (place.offset <= (items.at(-1)?.offset ?? -1)) throw reader.malformed("its items are out of order");
    items.push({ ...place, codec: codec as Codec, ...(seal === 0 ? {} : { sealedIn: seals[seal - 1]! }) });
  }
  return { ...name, items };
}

/** The item that an address means, or nothing. */
export function findForwarded(
  forward: Forward,
  address: { readonly offset: number; readonly length: number },
): ForwardedItem | undefined {
  const { items } = forward;
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (items[middle]!.offset < address.offset) low = middle + 1;
    else high = middle;
  }
  const found = items[low];
  return found?.offset === address.offset && found.length === address.length ? found : undefined;
}
