import { GarrisonError } from "@garrison/core/garrison-error";
import type { BlockCrew } from "../blocks/block-crew.ts";
import type { BlockSlot } from "../blocks/block-slot.ts";
import type { RecoveredBlock } from "../blocks/block-work.ts";
import { blockSizeBytes } from "../disk/block-source.ts";
import { chunkAad } from "../format/item-identity.ts";
import { packName } from "../format/object-names.ts";
import { packKey } from "../format/pack-container.ts";
import type { ChunkAddress } from "../format/page-reference.ts";
import type { ChunkRange } from "./chunk-ranges.ts";
import type { DomainKeys, SessionKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

export interface ChunkReaderDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly sessionKeys: SessionKeys | ((sessionId: string) => Uint8Array);
  readonly crew: BlockCrew;
}

/** Reads ranges of packs and opens the chunks in them. */
export interface ChunkReader {
  fetch(range: ChunkRange, call: StoreCall): Promise<Uint8Array>;
  /**
   * Opens and verifies one chunk out of the bytes of its range. The block is in the slot's plain side until the caller
   * gives the slot back to the crew.
   */
  recover(range: ChunkRange, bytes: Uint8Array, address: ChunkAddress): Promise<RecoveredChunk>;
  /** Like `recover` for who wants no bytes: only whether they are damaged, and how. */
  verify(range: ChunkRange, bytes: Uint8Array, address: ChunkAddress): Promise<ChunkDamage | undefined>;
}

export type ChunkDamage = Extract<RecoveredBlock, { readonly damage: unknown }>["damage"];
export type RecoveredChunk =
  | { readonly slot: BlockSlot; readonly sha256: Uint8Array }
  | { readonly damage: ChunkDamage };

const keptKeys = 64;

export function openChunkReader(dependencies: ChunkReaderDependencies): ChunkReader {
  const { keys, store, crew } = dependencies;
  const packKeys = new Map<string, Uint8Array>();
  const keyOf = (address: ChunkAddress): Uint8Array => {
    const pack = {
      kind: "pack",
      session: address.session,
      lane: address.lane,
      number: address.pack,
    } as const;
    const name = packName(keys.domain, "pack", pack);
    const known = packKeys.get(name);
    if (known !== undefined) return known;
    const key = packKey(dataKeyOf(dependencies, address.session), pack);
    packKeys.set(name, key);
    if (packKeys.size > keptKeys) packKeys.delete(packKeys.keys().next().value!);
    return key;
  };
  const recover: ChunkReader["recover"] = async (range, bytes, address) => {
    const { id, codec, length: sealedBytes } = address;
    const slot = crew.borrow();
    const start = address.offset - range.offset;
    slot.packed.set(bytes.subarray(start, start + sealedBytes));
    const plainBytes = blockSizeBytes;
    const aad = chunkAad(keys, { id, plainBytes, codec });
    const job = { sealedBytes, plainBytes, itemKey: keyOf(address), aad, id, codec };
    const recovered = await crew.recover(slot, job);
    if (!("damage" in recovered)) return { slot, sha256: recovered.sha256 };
    crew.giveBack(slot);
    return recovered;
  };
  return {
    fetch: ({ offset, length, ...pack }, call) =>
      store.read(rangeName(keys, pack), { ...call, range: { offset, length } }),
    recover,
    async verify(range, bytes, address) {
      const recovered = await recover(range, bytes, address);
      if ("damage" in recovered) return recovered.damage;
      crew.giveBack(recovered.slot);
      return undefined;
    },
  };
}

/** The pack that a range lies in. */
export function rangeName(
  keys: DomainKeys,
  range: { readonly session: string; readonly lane: string; readonly pack: number },
): string {
  return packName(keys.domain, "pack", { session: range.session, lane: range.lane, number: range.pack });
}

function dataKeyOf(dependencies: ChunkReaderDependencies, session: string): Uint8Array {
  const { sessionKeys } = dependencies;
  const key = typeof sessionKeys === "function" ? sessionKeys(session) : sessionKeys.get(session);
  if (key !== undefined) return key;
  throw new GarrisonError("key-missing", `the data key of session ${session} is not at hand`);
}
