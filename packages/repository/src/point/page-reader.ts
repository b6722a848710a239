import { GarrisonError } from "@garrison/core/garrison-error";
import { interiorBlocks, itemKinds, leafEntries, type ItemKind } from "../format/format-limits.ts";
import { decodeInterior, type Interior } from "../format/interior-page.ts";
import { pageAad, pageId, type ItemPlace } from "../format/item-identity.ts";
import { decodeLeaf, type Leaf } from "../format/leaf-page.ts";
import { packName } from "../format/object-names.ts";
import { openItem, packKey } from "../format/pack-container.ts";
import { unpackPayload } from "../format/page-payload.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import { tryEpochs } from "../keys/epochs.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

export interface PageReaderDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
}

/** One volume's pages: its series' keyed hash and its id enter each page's authenticated data. */
export interface VolumePlace {
  readonly series: string;
  readonly volumeId: string;
}

interface WantedPage {
  readonly kind: ItemKind;
  readonly address: ItemAddress;
  readonly place: ItemPlace;
}

/** Reads and verifies one sealed page. Throws `page-damaged`, or what the store says about the map pack. */
export async function readPage(
  dependencies: PageReaderDependencies,
  page: WantedPage,
  call: StoreCall,
): Promise<Uint8Array> {
  const { keys, store } = dependencies;
  const { address } = page;
  const pack = { kind: "map", session: address.session, lane: address.lane, number: address.pack } as const;
  const name = packName(keys.domain, "map", pack);
  const range = { offset: address.offset, length: address.length };
  const stored = await store.read(name, { ...call, range });
  const aad = pageAad(keys, { kind: page.kind, id: address.id, place: page.place });
  const payload = tryEpochs(keys, ({ mapKey }) => openItem(packKey(mapKey, pack), aad, stored));
  const what = `page at byte ${address.offset} of ${name}`;
  if (payload === undefined) throw damaged(what, "is not authentic", page);
  const plain = unpackPayload(payload, what);
  if (Buffer.compare(pageId(keys.idKey, page.kind, plain), address.id) !== 0) {
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
  const place = { ...wanted.volume, position: wanted.leaf * leafEntries };
  const plain = await readPage(dependencies, { kind: itemKinds.leaf, address: wanted.address, place }, call);
  return decodeLeaf(plain, `leaf ${wanted.leaf} of ${wanted.volume.volumeId}`);
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
  return decodeInterior(1, plain, `interior page ${wanted.slot} of ${wanted.volume.volumeId}`);
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
  return Buffer.concat(parts);
}
