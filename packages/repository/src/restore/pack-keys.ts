import { GarrisonError } from "@garrison/core/garrison-error";
import { packName } from "../format/object-names.ts";
import { openItem, packKey, type PackAddress } from "../format/pack-container.ts";
import type { DomainKeys, SessionKeySource } from "../keys/keys.ts";

export interface PackKeyDependencies {
  readonly keys: DomainKeys;
  readonly sessionKeys: SessionKeySource;
}

/** The key of a pack's items. `stored` is one of them, which tells the session's epoch where several keys are at hand. */
export type PackKeys = (pack: PackAddress, aad: Uint8Array, stored: Uint8Array) => Uint8Array;

const keptKeys = 64;

export function openPackKeys(dependencies: PackKeyDependencies): PackKeys {
  const { domain } = dependencies.keys;
  const packKeys = new Map<string, Uint8Array>();
  const dataKeyOf = openDataKeys(dependencies);
  return (pack, aad, stored) => {
    const name = packName(domain, "pack", pack);
    const known = packKeys.get(name);
    if (known !== undefined) return known;
    const fits = (dataKey: Uint8Array) => openItem(packKey(dataKey, pack), aad, stored) !== undefined;
    const { dataKey, isCertain } = dataKeyOf(pack.session, fits);
    const key = packKey(dataKey, pack);
    if (!isCertain) return key;
    packKeys.set(name, key);
    if (packKeys.size > keptKeys) packKeys.delete(packKeys.keys().next().value!);
    return key;
  };
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
function openDataKeys({ keys, sessionKeys }: PackKeyDependencies) {
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
