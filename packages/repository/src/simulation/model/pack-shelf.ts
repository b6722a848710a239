import { itemKinds, itemNumberBytes } from "../../format/format-limits.ts";
import { decodeInterior, type Interior } from "../../format/interior-page.ts";
import { chunkAad, pageAad, type ItemPlace } from "../../format/item-identity.ts";
import { decodeLeaf, type Leaf } from "../../format/leaf-page.ts";
import { packName, type PackKind } from "../../format/object-names.ts";
import {
  checkHeader,
  decodeFooter,
  openItem,
  packHeaderBytes,
  packKey,
  packTrailerBytes,
  readTrailer,
  type FooterEntry,
  type PackAddress,
  type SealedPack,
} from "../../format/pack-container.ts";
import { unpackPayload } from "../../format/page-payload.ts";
import type { ItemAddress } from "../../format/page-reference.ts";
import { tryEpochs } from "../../keys/epochs.ts";
import type { ContentIds } from "../world/content-ids.ts";
import type { ContentPool } from "../world/content-pool.ts";
import { Violation } from "../world/violation.ts";
import type { ModelKeyring } from "./model-keyring.ts";
import type { SealLedger } from "./seal-ledger.ts";

export interface ShelvedPack {
  readonly address: SealedPack;
  readonly bytes: Uint8Array;
  /** By offset. */
  readonly items: ReadonlyMap<number, FooterEntry>;
}

export interface PackShelfOptions {
  readonly keyring: ModelKeyring;
  readonly contents: ContentPool;
  readonly contentIds: ContentIds;
  readonly seals: SealLedger;
}

/**
 * Every pack that was ever stored, opened by the format's own rules when it arrived, and kept after its deletion: what
 * an address means is known for ever, whatever becomes of the object.
 */
export class PackShelf {
  readonly #options: PackShelfOptions;
  readonly #packs = new Map<string, ShelvedPack>();
  readonly #leaves = new Map<string, Leaf>();
  readonly #interiors = new Map<string, Interior>();

  constructor(options: PackShelfOptions) {
    this.#options = options;
  }

  find(kind: PackKind, address: Pick<ItemAddress, "session" | "lane" | "pack">): ShelvedPack | undefined {
    return this.#packs.get(this.#nameOf(kind, address));
  }

  /** Names of packs of a session. */
  *ofSession(session: string): Generator<readonly [string, ShelvedPack]> {
    for (const [key, pack] of this.#packs) if (pack.address.session === session) yield [key, pack];
  }

  /** Takes in a pack as it was stored. `isMoved`: its items were sealed for another pack. */
  add(key: string, name: PackAddress, stored: { bytes: Uint8Array; isMoved: boolean }): ShelvedPack {
    const { keys } = this.#options.keyring;
    const { bytes } = stored;
    const address = { ...name, epoch: Buffer.from(bytes).readUInt16BE(epochAt) };
    checkHeader(address, bytes.subarray(0, packHeaderBytes), key);
    const { footerBytes } = readTrailer(bytes.subarray(bytes.length - packTrailerBytes), key);
    const tailAt = bytes.length - packTrailerBytes;
    const entries = decodeFooter(keys, address, bytes.subarray(tailAt - footerBytes, tailAt));
    const pack = { address, bytes, items: new Map(entries.map((entry) => [entry.offset, entry])) };
    this.#packs.set(key, pack);
    if (address.kind === "pack" && !stored.isMoved) for (const entry of entries) this.#noteChunk(pack, entry);
    return pack;
  }

  /** The item at an address, as its pack's footer has it. */
  itemAt(kind: PackKind, address: ItemAddress): FooterEntry | undefined {
    const entry = this.find(kind, address)?.items.get(address.offset);
    const isIt =
      entry !== undefined && entry.length === address.length && Buffer.compare(entry.id, address.id) === 0;
    return isIt ? entry : undefined;
  }

  leafAt(address: ItemAddress, place: ItemPlace): Leaf {
    const name = `${this.#nameOf("map", address)}@${address.offset}`;
    const known = this.#leaves.get(name);
    if (known !== undefined) return known;
    const leaf = decodeLeaf(this.pageAt(address, itemKinds.leaf, place), name);
    this.#leaves.set(name, leaf);
    return leaf;
  }

  interiorAt(address: ItemAddress, place: ItemPlace): Interior {
    const name = `${this.#nameOf("map", address)}@${address.offset}`;
    const known = this.#interiors.get(name);
    if (known !== undefined) return known;
    const interior = decodeInterior(1, this.pageAt(address, itemKinds.interior, place), name);
    this.#interiors.set(name, interior);
    return interior;
  }

  /** A page's plain bytes; a page that does not open where a map says it is breaks the first promise. */
  pageAt(address: ItemAddress, kind: 2 | 3 | 4 | 5, place: ItemPlace): Uint8Array {
    const { keyring, seals } = this.#options;
    const { keys } = keyring;
    const pack = this.find("map", address);
    const where = `byte ${address.offset} of ${this.#nameOf("map", address)}`;
    if (pack === undefined)
      throw new Violation(4, `a page is said to be at ${where}, which was never stored`);
    const stored = pack.bytes.subarray(address.offset, address.offset + address.length);
    const aad = pageAad(keys, { kind, id: address.id, place });
    const payload = tryEpochs(keys, ({ mapKey }) => openItem(packKey(mapKey, pack.address), aad, stored));
    if (payload === undefined) throw new Violation(1, `the page at ${where} does not open`);
    seals.note(where, payload, stored.subarray(itemNumberBytes));
    return unpackPayload(payload, where);
  }

  /** A chunk must hold the content whose id it bears; its key stream is noted even if it opens under no key of ours. */
  #noteChunk(pack: ShelvedPack, entry: FooterEntry): void {
    const { keyring, contents, contentIds, seals } = this.#options;
    const { keys, repository } = keyring;
    const stored = pack.bytes.subarray(entry.offset, entry.offset + entry.length);
    const where = `byte ${entry.offset} of ${packName(keys.domain, "pack", pack.address)}`;
    const content = contentIds.contentOf(entry.id);
    if (content === undefined) throw new Violation(1, `the chunk at ${where} has nobody's id`);
    seals.note(where, contents.payloadOf(content), stored.subarray(itemNumberBytes));
    const dataKey = repository.sessionDataKey(keys.domain, pack.address.session, pack.address.epoch);
    const aad = chunkAad(keys, entry);
    const payload = openItem(packKey(dataKey, pack.address), aad, stored);
    if (payload === undefined || contents.contentOfPayload(payload) !== content) {
      throw new Violation(1, `the chunk at ${where} does not open to what its id says`);
    }
  }

  #nameOf(kind: PackKind, address: Pick<ItemAddress, "session" | "lane" | "pack">): string {
    return packName(this.#options.keyring.keys.domain, kind, { ...address, number: address.pack });
  }
}

/** In a pack's header (docs/repository-format.md). */
const epochAt = 6;
