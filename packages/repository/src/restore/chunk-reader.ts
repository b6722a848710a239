import type { BlockCrew } from "../blocks/block-crew.ts";
import type { BlockSlot } from "../blocks/block-slot.ts";
import type { RecoveredBlock } from "../blocks/block-work.ts";
import type { Codec } from "../format/format-limits.ts";
import { findForwarded } from "../format/forward.ts";
import { chunkAad } from "../format/item-identity.ts";
import { packName } from "../format/object-names.ts";
import type { PackAddress } from "../format/pack-container.ts";
import { plainBytesOf, type ChunkAddress } from "../format/page-reference.ts";
import { findInVersions } from "../point/find-in-versions.ts";
import { findSomewhere } from "../point/find-somewhere.ts";
import { isGone, openForwardReader, type ForwardReader } from "../point/forward-reader.ts";
import type { ChunkRange } from "./chunk-ranges.ts";
import { openPackKeys } from "./pack-keys.ts";
import type { DomainKeys, SessionKeySource } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

export interface ChunkReaderDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly sessionKeys: SessionKeySource;
  readonly crew: BlockCrew;
  readonly forwards?: ForwardReader;
}

/** One chunk out of the bytes of its range. */
export interface FetchedChunk {
  readonly range: ChunkRange;
  readonly bytes: Uint8Array;
  readonly address: ChunkAddress;
}

/** Reads ranges of packs, wherever they are by now, and opens the chunks in them. */
export interface ChunkReader {
  fetch(range: ChunkRange, call: StoreCall): Promise<Uint8Array>;
  /**
   * Opens and verifies one chunk; one that is damaged is looked for elsewhere before it is called so. The block is at
   * the start of the slot's plain side until the caller gives the slot back to the crew.
   */
  recover(chunk: FetchedChunk, call: StoreCall): Promise<RecoveredChunk>;
  /** Like `recover` for who wants no bytes: only whether they are damaged, and how. */
  verify(chunk: FetchedChunk, call: StoreCall): Promise<ChunkDamage | undefined>;
}

export type ChunkDamage = Extract<RecoveredBlock, { readonly damage: unknown }>["damage"];
export type RecoveredChunk =
  | { readonly slot: BlockSlot; readonly sha256: Uint8Array }
  | { readonly damage: ChunkDamage };

export function openChunkReader(dependencies: ChunkReaderDependencies): ChunkReader {
  const { store, crew } = dependencies;
  const forwards = dependencies.forwards ?? openForwardReader(dependencies);
  const open = openSealedChunks(dependencies);
  const recover: ChunkReader["recover"] = async ({ range, bytes, address }, call) => {
    const start = address.offset - range.offset;
    const seal = { codec: address.codec, sealedIn: packOf(address) };
    const openHere = (stored: Uint8Array) => open(address, stored, seal);
    const recovered = await openHere(bytes.subarray(start, start + address.length));
    if (!("damage" in recovered)) return recovered;
    const copy = await findSomewhere([
      () => findElsewhere({ store, forwards, open }, address, call),
      () => findOverwritten({ ...dependencies, openHere }, address, call),
    ]);
    return copy ?? recovered;
  };
  return {
    fetch: (range, call) => fetchRange({ ...dependencies, forwards }, range, call),
    recover,
    async verify(chunk, call) {
      const recovered = await recover(chunk, call);
      if ("damage" in recovered) return recovered.damage;
      crew.giveBack(recovered.slot);
      return undefined;
    },
  };
}

async function fetchRange(
  owner: { readonly keys: DomainKeys; readonly store: ObjectStore; readonly forwards: ForwardReader },
  range: ChunkRange,
  call: StoreCall,
): Promise<Uint8Array> {
  const { offset, length } = range;
  try {
    return await owner.store.read(rangeName(owner.keys, range), { ...call, range: { offset, length } });
  } catch (error) {
    if (!isGone(error)) throw error;
    const forwarded = await fetchForwarded(owner, range, call);
    if (forwarded === undefined) throw error;
    return forwarded;
  }
}

type OpenedChunk = Exclude<RecoveredChunk, { readonly damage: unknown }>;

function unlessDamaged(recovered: RecoveredChunk): OpenedChunk | undefined {
  return "damage" in recovered ? undefined : recovered;
}

/** A chunk where a forward of its pack leads to. */
function findElsewhere(
  owner: { readonly store: ObjectStore; readonly forwards: ForwardReader; readonly open: OpenSealed },
  address: ChunkAddress,
  call: StoreCall,
): Promise<OpenedChunk | undefined> {
  const pack = packOf(address);
  return owner.forwards.follow(
    pack,
    async (forward, name) => {
      const item = findForwarded(forward, address);
      if (item === undefined) return undefined;
      const range = { offset: item.newOffset, length: item.newLength };
      const stored = await owner.store.read(name, { ...call, range });
      const sealedIn = item.sealedIn === undefined ? pack : { kind: pack.kind, ...item.sealedIn };
      return unlessDamaged(await owner.open(address, stored, { codec: item.codec, sealedIn }));
    },
    call,
  );
}

/** A chunk in an earlier version of its pack, if somebody has put another one over it. */
function findOverwritten(
  owner: {
    readonly store: ObjectStore;
    readonly keys: DomainKeys;
    readonly openHere: (stored: Uint8Array) => Promise<RecoveredChunk>;
  },
  address: ChunkAddress,
  call: StoreCall,
): Promise<OpenedChunk | undefined> {
  const { offset, length } = address;
  const key = rangeName(owner.keys, address);
  const open = async (stored: Uint8Array) => unlessDamaged(await owner.openHere(stored));
  return findInVersions(owner.store, { key, range: { offset, length }, open }, call);
}

type OpenSealed = (
  address: ChunkAddress,
  stored: Uint8Array,
  seal: { readonly codec: Codec; readonly sealedIn: PackAddress },
) => Promise<RecoveredChunk>;

/** Opens and verifies a sealed chunk in a slot of the crew, under the key of the pack that it was sealed in. */
function openSealedChunks(dependencies: ChunkReaderDependencies): OpenSealed {
  const { keys, crew } = dependencies;
  const keyOf = openPackKeys(dependencies);
  return async (address, stored, { codec, sealedIn }) => {
    const { id } = address;
    const plainBytes = plainBytesOf(address);
    const slot = crew.borrow(plainBytes);
    if (stored.length > slot.packed.length) {
      crew.giveBack(slot);
      return { damage: "length" };
    }
    slot.packed.set(stored);
    const aad = chunkAad(keys, { id, plainBytes, codec });
    const itemKey = keyOf(sealedIn, aad, stored);
    const job = { sealedBytes: stored.length, plainBytes, itemKey, aad, id, codec };
    const recovered = await crew.recover(slot, job);
    if (!("damage" in recovered)) return { slot, sha256: recovered.sha256 };
    crew.giveBack(slot);
    return recovered;
  };
}

/**
 * The bytes of a range whose pack is gone, put together as they lay there. A chunk that only a repair has is left out:
 * it looks damaged, and is then looked for by itself. Nothing, if one of them is nowhere.
 */
async function fetchForwarded(
  { store, forwards }: { readonly store: ObjectStore; readonly forwards: ForwardReader },
  range: ChunkRange,
  call: StoreCall,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(range.length);
  const missing = new Map(range.chunks.map(({ address }) => [address.offset, address]));
  await forwards.follow(
    packOf(range.chunks[0]!.address),
    async (forward, name) => {
      const items = [...missing.values()].flatMap((address) => findForwarded(forward, address) ?? []);
      const moved = items.filter((item) => item.sealedIn === undefined);
      if (moved.length > 0) {
        // Survivors of one pack lie together, in their old order: one read.
        const start = Math.min(...moved.map((item) => item.newOffset));
        const end = Math.max(...moved.map((item) => item.newOffset + item.newLength));
        const found = await store.read(name, { ...call, range: { offset: start, length: end - start } });
        for (const { offset, newOffset, newLength } of moved) {
          bytes.set(found.subarray(newOffset - start, newOffset - start + newLength), offset - range.offset);
        }
      }
      for (const item of items) missing.delete(item.offset);
      return missing.size === 0 ? true : undefined;
    },
    call,
  );
  return missing.size === 0 ? bytes : undefined;
}

function packOf(address: ChunkAddress): PackAddress {
  return { kind: "pack", session: address.session, lane: address.lane, number: address.pack };
}

/** The pack that a range lies in. */
export function rangeName(
  keys: DomainKeys,
  range: { readonly session: string; readonly lane: string; readonly pack: number },
): string {
  return packName(keys.domain, "pack", { session: range.session, lane: range.lane, number: range.pack });
}
