import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { freeBuffer } from "../blocks/free-memory.ts";
import {
  interiorBlocks,
  itemKinds,
  leafEntries,
  type ItemKind,
  type VolumeKind,
} from "../format/format-limits.ts";
import { decodeInterior, type Interior } from "../format/interior-page.ts";
import { pageAad, pageId, type ItemPlace } from "../format/item-identity.ts";
import { decodeLeaf, type Leaf } from "../format/leaf-page.ts";
import { findForwarded } from "../format/forward.ts";
import { packName } from "../format/object-names.ts";
import { openItem, packKey, type PackAddress } from "../format/pack-container.ts";
import { unpackPayload } from "../format/page-payload.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import { tryEpochs } from "../keys/epochs.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ByteRange, ObjectStore, StoreCall } from "../store/object-store.ts";
import { findInVersions } from "./find-in-versions.ts";
import { findSomewhere } from "./find-somewhere.ts";
import { isGone, openForwardReader, type ForwardReader } from "./forward-reader.ts";

export interface PageReaderDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  /** Shared by readers, so that each session's forwards are listed once; a reader without one opens its own. */
  readonly forwards?: ForwardReader;
}

/** One volume's pages: its series' keyed hash and its id enter each page's authenticated data. */
export interface VolumePlace {
  readonly series: string;
  readonly volumeId: string;
  /** Absent: an image. */
  readonly kind?: VolumeKind | undefined;
}

/**
 * The position that enters a leaf's authenticated data. Leaves of a stream have none: after an insertion the same leaf
 * lies elsewhere and is shared; its id in the page above says where it belongs.
 */
export function leafPosition(place: VolumePlace, leaf: number): number {
  return place.kind === "stream" ? 0 : leaf * leafEntries;
}

interface WantedPage {
  readonly kind: ItemKind;
  readonly address: ItemAddress;
  readonly place: ItemPlace;
}

/**
 * Reads and verifies one sealed page, wherever it is by now. Throws `page-damaged`, or what the store says about the map
 * pack.
 */
export async function readPage(
  dependencies: PageReaderDependencies,
  page: WantedPage,
  call: StoreCall,
): Promise<Uint8Array> {
  const { session, lane, pack: number, offset, length } = page.address;
  const pack = { kind: "map", session, lane, number } as const;
  const name = packName(dependencies.keys.domain, "map", pack);
  const stored = { page, name, range: { offset, length }, sealedIn: pack };
  try {
    return await readStored(dependencies, stored, call);
  } catch (error) {
    if (!isGone(error) && !isGarrisonError(error, "page-damaged")) throw error;
    const found = await findSomewhere([
      () => readForwarded(dependencies, { page, pack }, call),
      () => readOverwritten(dependencies, stored, call),
    ]);
    if (found === undefined) throw error;
    return found;
  }
}

/** The page in an earlier version of its pack, if somebody has put another one over it. */
async function readOverwritten(
  dependencies: PageReaderDependencies,
  stored: StoredPage,
  call: StoreCall,
): Promise<Uint8Array | undefined> {
  const open = (bytes: Uint8Array) => {
    try {
      return openPage(dependencies.keys, stored, bytes);
    } catch (error) {
      if (isGarrisonError(error, "page-damaged")) return undefined;
      throw error;
    }
  };
  return findInVersions(dependencies.store, { key: stored.name, range: stored.range, open }, call);
}

async function readForwarded(
  dependencies: PageReaderDependencies,
  lost: { readonly page: WantedPage; readonly pack: PackAddress },
  call: StoreCall,
): Promise<Uint8Array | undefined> {
  const { page, pack } = lost;
  const forwards = dependencies.forwards ?? openForwardReader(dependencies);
  return forwards.follow(
    pack,
    async (forward, name) => {
      const item = findForwarded(forward, page.address);
      if (item === undefined) return undefined;
      const range = { offset: item.newOffset, length: item.newLength };
      const sealedIn = item.sealedIn === undefined ? pack : { kind: pack.kind, ...item.sealedIn };
      try {
        return await readStored(dependencies, { page, name, range, sealedIn }, call);
      } catch (error) {
        if (isGarrisonError(error, "page-damaged")) return undefined;
        throw error;
      }
    },
    call,
  );
}

interface StoredPage {
  readonly page: WantedPage;
  readonly name: string;
  readonly range: ByteRange;
  /** Whose key opens it. */
  readonly sealedIn: PackAddress;
}

async function readStored(
  dependencies: PageReaderDependencies,
  wanted: StoredPage,
  call: StoreCall,
): Promise<Uint8Array> {
  const stored = await dependencies.store.read(wanted.name, { ...call, range: wanted.range });
  return openPage(dependencies.keys, wanted, stored);
}

function openPage(
  keys: DomainKeys,
  { page, name, range, sealedIn }: StoredPage,
  stored: Uint8Array,
): Uint8Array {
  const aad = pageAad(keys, { kind: page.kind, id: page.address.id, place: page.place });
  const payload = tryEpochs(keys, ({ mapKey }) => openItem(packKey(mapKey, sealedIn), aad, stored));
  const what = `page at byte ${range.offset} of ${name}`;
  if (payload === undefined) throw damaged(what, "is not authentic", page);
  const plain = unpackPayload(payload, what);
  if (Buffer.compare(pageId(keys.idKey, page.kind, plain), page.address.id) !== 0) {
    throw damaged(what, "has another id", page);
  }
  return plain;
}

function damaged(what: string, reason: string, page: WantedPage): GarrisonError {
  const { volumeId, position } = page.place;
  return new GarrisonError("page-damaged", `${what} ${reason}`, { details: { volumeId, position } });
}

export async function readLeaf(
  dependencies: PageReaderDependencies,
  wanted: { readonly volume: VolumePlace; readonly address: ItemAddress; readonly leaf: number },
  call: StoreCall,
): Promise<Leaf> {
  const place = { ...wanted.volume, position: leafPosition(wanted.volume, wanted.leaf) };
  const plain = await readPage(dependencies, { kind: itemKinds.leaf, address: wanted.address, place }, call);
  return decodeLeaf(plain, `leaf ${wanted.leaf} of ${wanted.volume.volumeId}`, wanted.volume.kind);
}

export async function readInterior(
  dependencies: PageReaderDependencies,
  wanted: { readonly volume: VolumePlace; readonly address: ItemAddress; readonly slot: number },
  call: StoreCall,
): Promise<Interior> {
  const place = { ...wanted.volume, position: wanted.slot * interiorBlocks };
  const plain = await readPage(
    dependencies,
    { kind: itemKinds.interior, address: wanted.address, place },
    call,
  );
  const form = { level: 1, kind: wanted.volume.kind } as const;
  return decodeInterior(form, plain, `interior page ${wanted.slot} of ${wanted.volume.volumeId}`);
}

/** Reads a table or the hooks, which may be cut into parts. */
export async function readParts(
  dependencies: PageReaderDependencies,
  wanted: { readonly volume: VolumePlace; readonly kind: ItemKind; readonly parts: readonly ItemAddress[] },
  call: StoreCall,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const [position, address] of wanted.parts.entries()) {
    const place = { ...wanted.volume, position };
    parts.push(await readPage(dependencies, { kind: wanted.kind, address, place }, call));
  }
  const whole = Buffer.concat(parts);
  // Each part was made for this, whatever it is a view of: 4 MiB that a collector would let lie.
  for (const part of parts) freeBuffer(part);
  return whole;
}
