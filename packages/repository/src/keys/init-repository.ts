import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { deriveRepository } from "./derive-keys.ts";
import { formatJson } from "../format/json-fields.ts";
import { encodeWrap } from "../format/key-wrap.ts";
import { formatVersion } from "../format/format-limits.ts";
import { repositoryObjectName, wrapPrefix } from "../format/object-names.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { readRepositoryHeader, type Repository, type RepositorySecret } from "./open-repository.ts";
import { probeStore } from "../store/probe-store.ts";

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
  dependencies: InitDependencies,
  secrets: readonly RepositorySecret[],
  call: StoreCall,
): Promise<Repository> {
  const { store, random } = dependencies;
  if (secrets.length === 0) throw new GarrisonError("usage", "a repository needs a password or a secret");
  await requireNone(store, call);
  await probeStore(dependencies, call);
  const repositoryId = Buffer.from(random.bytes(16)).toString("hex");
  const masterKeys = [random.bytes(32)];
  const wraps = secrets.map((secret) => {
    const wrapId = Buffer.from(random.bytes(8)).toString("hex");
    return { wrapId, bytes: encodeWrap({ random, repositoryId, wrapId }, secret, masterKeys) };
  });
  // Wraps first: a header without a wrap would be a repository that nobody can ever open.
  for (const { wrapId, bytes } of wraps) await store.create(wrapPrefix + wrapId, bytes, call);
  const header = formatJson({
    format: "garrison-repository",
    version: formatVersion,
    repositoryId,
    createdAtMs: dependencies.clock.now(),
  });
  await store.create(repositoryObjectName, header, call);
  const written = await readRepositoryHeader(store, call);
  if (written.repositoryId !== repositoryId) throw exists(store);
  return deriveRepository(repositoryId, masterKeys);
}

/** By a listing: S3 says 403, not 404, of a missing object to somebody whose list right hangs on a prefix. */
async function requireNone(store: ObjectStore, call: StoreCall): Promise<void> {
  for await (const { key } of store.list(repositoryObjectName, call)) {
    if (key === repositoryObjectName) throw exists(store);
  }
}

function exists(store: ObjectStore): GarrisonError {
  return new GarrisonError("repository-exists", `${store.address} holds a repository already`);
}
