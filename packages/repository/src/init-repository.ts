import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import type { ObjectStore, StoreCall } from "./object-store.ts";
import type { Repository, RepositorySecret } from "./open-repository.ts";

export interface InitDependencies {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Probes the store and creates a repository that each of `secrets` opens. Throws `repository-exists`,
 * `store-unsuitable`.
 */
export async function initRepository(
  _dependencies: InitDependencies,
  _secrets: readonly RepositorySecret[],
  _call: StoreCall,
): Promise<Repository> {
  throw new GarrisonError("internal", "init is not wired yet");
}
