import { GarrisonError } from "@garrison/core/garrison-error";
import type { DomainKeys, EpochKeys } from "./keys.ts";

/** Puts a domain's keys together: what is new is sealed with the last epoch's. */
export function joinEpochs(
  domain: Pick<DomainKeys, "repositoryId" | "domain" | "idKey">,
  epochs: readonly EpochKeys[],
): DomainKeys {
  const newest = epochs.at(-1);
  if (newest === undefined) throw new GarrisonError("key-missing", `no key of ${domain.domain} is at hand`);
  const { epoch, mapKey, pointKey, controlPublicKey } = newest;
  const { repositoryId, domain: name, idKey } = domain;
  return { repositoryId, domain: name, idKey, epoch, mapKey, pointKey, controlPublicKey, epochs };
}

/** The keys of the epoch that an object names. Throws `keys-outdated` when it is newer than all that is at hand. */
export function keysOfEpoch(keys: DomainKeys, epoch: number, what: string): EpochKeys {
  const found = keys.epochs.find((each) => each.epoch === epoch);
  if (found !== undefined) return found;
  throw new GarrisonError(
    "keys-outdated",
    `${what} was sealed in key epoch ${epoch}, the keys at hand end with epoch ${keys.epoch}`,
  );
}

/**
 * Pages, chunks and footers don't say their epoch where they are addressed: each key is tried, newest first, until the
 * tag fits. That one can't be made to fit under two keys with different content is ensured by the id, which is compared.
 */
export function tryEpochs<Result>(
  keys: Pick<DomainKeys, "epochs">,
  open: (epoch: EpochKeys) => Result | undefined,
): Result | undefined {
  for (const epoch of keys.epochs.toReversed()) {
    const opened = open(epoch);
    if (opened !== undefined) return opened;
  }
  return undefined;
}
