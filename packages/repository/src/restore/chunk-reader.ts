import { GarrisonError } from "@garrison/core/garrison-error";
import type { BlockCrew } from "../blocks/block-crew.ts";
import type { RecoveredBlock } from "../blocks/block-work.ts";
import { blockSizeBytes } from "../disk/block-source.ts";
import { chunkAad } from "../format/item-identity.ts";
import { packName } from "../format/object-names.ts";
import { openItem, packKey } from "../format/pack-container.ts";
import type { ChunkAddress } from "../format/page-reference.ts";
import type { ChunkRange } from "./chunk-ranges.ts";
import type { DomainKeys, SessionKeySource } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

export interface ChunkReaderDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly sessionKeys: SessionKeySource;
  readonly crew: BlockCrew;
}

/** Reads ranges of packs and opens the chunks in them. */
export interface ChunkReader {
  fetch(range: ChunkRange, call: StoreCall): Promise<Uint8Array>;
  /** Opens and verifies one chunk out of the bytes of its range. */
  recover(range: ChunkRange, bytes: Uint8Array, address: ChunkAddress): Promise<RecoveredBlock>;
}

const keptKeys = 64;

export function openChunkReader(dependencies: ChunkReaderDependencies): ChunkReader {
  const { keys, store, crew } = dependencies;
  const packKeys = new Map<string, Uint8Array>();
  const dataKeyOf = openDataKeys(dependencies);
  const keyOf = (address: ChunkAddress, aad: Uint8Array, stored: Uint8Array): Uint8Array => {
    const pack = {
      kind: "pack",
      session: address.session,
      lane: address.lane,
      number: address.pack,
    } as const;
    const name = packName(keys.domain, "pack", pack);
    const known = packKeys.get(name);
    if (known !== undefined) return known;
    const fits = (dataKey: Uint8Array) => openItem(packKey(dataKey, pack), aad, stored) !== undefined;
    const { dataKey, isCertain } = dataKeyOf(address.session, fits);
    const key = packKey(dataKey, pack);
    if (!isCertain) return key;
    packKeys.set(name, key);
    if (packKeys.size > keptKeys) packKeys.delete(packKeys.keys().next().value!);
    return key;
  };
  return {
    fetch: ({ offset, length, ...pack }, call) =>
      store.read(rangeName(keys, pack), { ...call, range: { offset, length } }),
    recover(range, bytes, address) {
      const start = address.offset - range.offset;
      const { id, codec } = address;
      // A copy: its memory goes to a thread.
      const stored = bytes.slice(start, start + address.length);
      const aad = chunkAad(keys, { id, plainBytes: blockSizeBytes, codec });
      return crew.recover({ stored, itemKey: keyOf(address, aad, stored), aad, id, codec });
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

interface FoundDataKey {
  readonly dataKey: Uint8Array;
  /** Whether it is known to be the session's, or only the first of several that all don't fit. */
  readonly isCertain: boolean;
}

/**
 * A session's data key. An address doesn't say the session's epoch: with the keys of several at hand, the first chunk of
 * the session shows which one it is.
 */
function openDataKeys({ keys, sessionKeys }: Pick<ChunkReaderDependencies, "keys" | "sessionKeys">) {
  const found = new Map<string, FoundDataKey>();
  const newest = keys.epochs.length - 1;
  return (session: string, fits: (dataKey: Uint8Array) => boolean): FoundDataKey => {
    const known = found.get(session);
    if (known !== undefined) return known;
    if (typeof sessionKeys !== "function") {
      const dataKey = sessionKeys.get(session);
      if (dataKey !== undefined) return { dataKey, isCertain: true };
      throw new GarrisonError("key-missing", `the data key of session ${session} is not at hand`);
    }
    const candidates = keys.epochs.map(({ epoch }) => sessionKeys(session, epoch));
    const dataKey = newest === 0 ? candidates[0] : candidates.findLast(fits);
    if (dataKey === undefined) return { dataKey: candidates[newest]!, isCertain: false };
    const certain = { dataKey, isCertain: true };
    found.set(session, certain);
    return certain;
  };
}
