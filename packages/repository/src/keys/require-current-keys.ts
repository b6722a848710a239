import { GarrisonError } from "@garrison/core/garrison-error";
import type { Repository } from "./open-repository.ts";

/**
 * Nothing new may be sealed with a key that has been replaced. Throws `keys-outdated` when the repository was opened with
 * a wrap that a rotation left out.
 */
export function requireCurrentKeys(
  repository: Pick<Repository, "repositoryId" | "epoch" | "newestEpoch">,
): void {
  const { repositoryId, epoch, newestEpoch } = repository;
  if (epoch === newestEpoch) return;
  throw new GarrisonError(
    "keys-outdated",
    `this secret opens repository ${repositoryId} up to key epoch ${epoch}; it has epoch ${newestEpoch}`,
  );
}
