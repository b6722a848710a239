import { GarrisonError } from "@garrison/core/garrison-error";
import { tryEpochs } from "../keys/epochs.ts";
import type { DomainKeys, EpochKeys } from "../keys/keys.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { deriveKey } from "./derive-key.ts";
import {
  formatVersion,
  idBytes,
  itemKinds,
  itemNumberBytes,
  itemOverheadBytes,
  maxPackItems,
  tagBytes,
  type Codec,
  type ItemKind,
} from "./format-limits.ts";
import { packName, type PackKind, type PackName } from "./object-names.ts";
import { counterNonce, openBytes, sealBytes, sealInto } from "./seal.ts";

/**
 * A pack is a header, sealed items one after the other, a sealed footer and a trailer. Item keys belong to one pack and
 * the nonce is the running number in front of the item, so no counter is ever shared between writers.
 */
const headMagic = 0x4750434b; // "GPCK"
const tailMagic = 0x47454e44; // "GEND"
export const packHeaderBytes = 32;
export const packTrailerBytes = 12;
const footerEntryBytes = 54;
const packKindNumbers: Readonly<Record<PackKind, number>> = { pack: 1, map: 2 };

export interface PackAddress extends PackName {
  readonly kind: PackKind;
}

/** A pack with the key epoch that it was made in. */
export interface SealedPack extends PackAddress {
  readonly epoch: number;
}

/** One line of a footer: enough to take up a sealed item again without opening it. */
export interface FooterEntry {
  readonly kind: ItemKind;
  readonly codec: Codec;
  /** Number of the volume in its session. */
  readonly volume: number;
  /** Block of a chunk; first block of a page; number of a part. */
  readonly position: number;
  readonly offset: number;
  readonly length: number;
  readonly plainBytes: number;
  readonly id: Uint8Array;
}

/** `secret` is the session's data key for packs, the domain's map key for map packs. */
export function packKey(secret: Uint8Array, pack: PackAddress): Uint8Array {
  return derivePackKey(secret, pack.kind === "pack" ? "pack" : "map pack", pack);
}

function derivePackKey(secret: Uint8Array, label: string, name: PackName): Uint8Array {
  const number = new ByteWriter(4).u32(name.number).finish();
  return deriveKey(secret, label, [Buffer.from(name.session, "hex"), Buffer.from(name.lane, "hex"), number]);
}

function encodeHeader(pack: SealedPack): Uint8Array {
  return new ByteWriter(packHeaderBytes)
    .u32(headMagic)
    .u8(formatVersion)
    .u8(packKindNumbers[pack.kind])
    .u16(pack.epoch)
    .hex(pack.session)
    .hex(pack.lane)
    .u32(pack.number)
    .u48(0)
    .u16(0)
    .finish();
}

/** Room that footer and trailer take for so many items. */
export function packTailBytes(items: number): number {
  return items * footerEntryBytes + itemOverheadBytes + packTrailerBytes;
}

/** Fills one pack in a buffer that its owner may use again afterwards. */
export class PackBuilder {
  readonly pack: PackAddress;
  readonly #keys: DomainKeys;
  readonly #itemKey: Uint8Array;
  readonly #buffer: Buffer;
  readonly #footer = new ByteWriter(footerEntryBytes * 64);
  #length = packHeaderBytes;
  #items = 0;

  constructor(
    pack: PackAddress,
    secrets: { readonly keys: DomainKeys; readonly itemKey: Uint8Array },
    buffer: Buffer,
  ) {
    this.pack = pack;
    this.#keys = secrets.keys;
    this.#itemKey = secrets.itemKey;
    this.#buffer = buffer;
    buffer.set(encodeHeader({ ...pack, epoch: secrets.keys.epoch }));
  }

  get items(): number {
    return this.#items;
  }

  hasRoomFor(payloadBytes: number): boolean {
    const needed = this.#length + payloadBytes + itemOverheadBytes + packTailBytes(this.#items + 1);
    return needed <= this.#buffer.length && this.#items < maxPackItems;
  }

  append(
    item: Omit<FooterEntry, "offset" | "length">,
    payload: Uint8Array,
    aad: Uint8Array,
  ): { readonly offset: number; readonly length: number } {
    const offset = this.#length;
    const length = payload.length + itemOverheadBytes;
    this.#buffer.writeUInt32BE(this.#items, offset);
    const context = { key: this.#itemKey, nonce: counterNonce(this.#items), aad };
    sealInto(context, payload, this.#buffer.subarray(offset + itemNumberBytes, offset + length));
    this.#note(item, { offset, length });
    return { offset, length };
  }

  #note(
    item: Omit<FooterEntry, "offset" | "length">,
    place: { readonly offset: number; readonly length: number },
  ): void {
    this.#footer.u8(item.kind).u8(item.codec).u16(item.volume).u48(item.position);
    this.#footer.u32(place.offset).u32(place.length).u32(item.plainBytes).bytes(item.id);
    this.#length += place.length;
    this.#items++;
  }

  /** Whether so many items that are sealed already fit in together. */
  hasRoomForSealed(items: number, storedBytes: number): boolean {
    const needed = this.#length + storedBytes + packTailBytes(this.#items + items);
    return needed <= this.#buffer.length && this.#items + items <= maxPackItems;
  }

  /** Takes over an item as it was sealed in another pack, under that pack's key and number. */
  appendSealed(
    item: Omit<FooterEntry, "offset" | "length">,
    stored: Uint8Array,
  ): { readonly offset: number } {
    const offset = this.#length;
    this.#buffer.set(stored, offset);
    this.#note(item, { offset, length: stored.length });
    return { offset };
  }

  /** Adds footer and trailer; the view is valid as long as the buffer is not used again. */
  finish(): Uint8Array {
    const context = footerContext(this.#keys, this.pack, this.#keys);
    const sealed = sealBytes(context, this.#footer.finish());
    const trailer = new ByteWriter(packTrailerBytes).u32(sealed.length).u32(this.#items).u32(tailMagic);
    this.#buffer.set(sealed, this.#length);
    this.#buffer.set(trailer.finish(), this.#length + sealed.length);
    return this.#buffer.subarray(0, this.#length + sealed.length + packTrailerBytes);
  }
}

function footerContext(keys: DomainKeys, pack: PackAddress, { epoch, mapKey }: EpochKeys) {
  const name = packName(keys.domain, pack.kind, pack);
  const header = encodeHeader({ ...pack, epoch });
  return {
    key: derivePackKey(mapKey, `${pack.kind} footer`, pack),
    nonce: counterNonce(0),
    aad: Buffer.concat([header, Buffer.from(keys.repositoryId, "hex"), Buffer.from(name)]),
  };
}

/** Bytes before the end of a pack that hold footer and trailer, read from its last 12 bytes. */
export function readTrailer(
  trailer: Uint8Array,
  what: string,
): { readonly footerBytes: number; readonly items: number } {
  const reader = new ByteReader(trailer, what);
  const footerBytes = reader.u32();
  const items = reader.u32();
  reader.expect(reader.u32(), tailMagic, "the trailer's magic number");
  if (items > maxPackItems || footerBytes !== items * footerEntryBytes + tagBytes) {
    throw reader.malformed("its trailer contradicts itself");
  }
  return { footerBytes, items };
}

/** Opens a footer, of a certain epoch or of any. Throws `object-damaged` when it is not this pack's own. */
export function decodeFooter(
  keys: DomainKeys,
  pack: PackAddress & { readonly epoch?: number },
  sealed: Uint8Array,
): readonly FooterEntry[] {
  const what = packName(keys.domain, pack.kind, pack);
  const epochs = keys.epochs.filter(({ epoch }) => pack.epoch === undefined || pack.epoch === epoch);
  const plain = tryEpochs({ epochs }, (epoch) => openBytes(footerContext(keys, pack, epoch), sealed));
  if (plain === undefined)
    throw new GarrisonError("object-damaged", `the footer of ${what} is not authentic`);
  return readFooterEntries(plain, what);
}

/** The lines of an opened footer. */
export function readFooterEntries(plain: Uint8Array, what: string): readonly FooterEntry[] {
  const reader = new ByteReader(plain, what);
  if (reader.remaining > maxPackItems * footerEntryBytes) throw reader.malformed("it has too many items");
  const entries: FooterEntry[] = [];
  while (reader.remaining > 0) {
    const [kind, codec] = [reader.u8(), reader.u8()];
    if (kind < itemKinds.chunk || kind > itemKinds.hooks || codec > 1) {
      throw reader.malformed(`item ${entries.length} is of no known kind`);
    }
    entries.push({
      kind: kind as ItemKind,
      codec: codec as Codec,
      volume: reader.u16(),
      position: reader.u48(),
      offset: reader.u32(),
      length: reader.u32(),
      plainBytes: reader.u32(),
      id: new Uint8Array(reader.bytes(idBytes)),
    });
  }
  return entries;
}

/** Checks that an object begins like this pack. */
export function checkHeader(pack: SealedPack, header: Uint8Array, what: string): void {
  if (Buffer.compare(header, encodeHeader(pack)) === 0) return;
  throw new GarrisonError("object-damaged", `${what} does not begin like the pack it is named for`);
}

/** Opens one item as it lies in a pack: running number, ciphertext, tag. */
export function openItem(itemKey: Uint8Array, aad: Uint8Array, stored: Uint8Array): Uint8Array | undefined {
  if (stored.length < itemOverheadBytes) return undefined;
  const number = new DataView(stored.buffer, stored.byteOffset, itemNumberBytes).getUint32(0);
  return openBytes({ key: itemKey, nonce: counterNonce(number), aad }, stored.subarray(itemNumberBytes));
}
