import { GarrisonError } from "@garrison/core/garrison-error";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import type { PruneDependencies } from "@garrison/repository/prune/prune-plan";
import type { CliContext } from "../cli-context.ts";
import type { OpenedRepository } from "./open-named-repository.ts";

/**
 * Whoever holds the newest master key may end points and delete. One that was left out of a rotation can't read what has
 * been made since, and so must not judge it: `keys-outdated`.
 */
export function keeperOf(
  opened: Pick<OpenedRepository, "store" | "repository">,
  keys: DomainKeys,
  context: CliContext,
): Omit<PruneDependencies, "onProgress" | "heldUntil"> {
  const { store, repository } = opened;
  if (repository.epoch !== repository.newestEpoch) {
    const reason = `this secret opens key epochs 1 to ${repository.epoch} of ${repository.newestEpoch}`;
    throw new GarrisonError("keys-outdated", `${reason}: it can't judge what was made since`);
  }
  const { clock, random, logger } = context;
  return { store, keys, clock, random, logger, controlPrivateKey: repository.controlPrivateKey(keys.domain) };
}
