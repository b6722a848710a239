import { GarrisonError } from "@garrison/core/garrison-error";
import { repositoryObjectName } from "../format/object-names.ts";
import { loadStoreTraits } from "../store/probe-store.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { deriveRepository } from "./derive-keys.ts";
import type { Repository } from "./open-repository.ts";
import { encodeRepositoryHeader, readRepositoryHeader } from "./repository-header.ts";
import type { RepositorySecret } from "./repository-secret.ts";
import { writeWrap, type KeyDependencies } from "./write-wrap.ts";

/**
 * Probes the store and creates a repository that each of `secrets` opens. Throws `repository-exists`,
 * `store-unsuitable`.
 */
export async function initRepository(
  dependencies: KeyDependencies,
  secrets: readonly RepositorySecret[],
  call: StoreCall,
): Promise<Repository> {
  const { store, random } = dependencies;
  if (secrets.length === 0) throw new GarrisonError("usage", "a repository needs a password or a secret");
  await requireNone(store, call);
  await loadStoreTraits(dependencies, call);
  const repositoryId = Buffer.from(random.bytes(16)).toString("hex");
  const masterKeys = [random.bytes(32)];
  // Wraps first: a header without a wrap would be a repository that nobody can ever open.
  for (const secret of secrets) await writeWrap(dependencies, { repositoryId, masterKeys, secret }, call);
  const header = encodeRepositoryHeader({ repositoryId, createdAtMs: dependencies.clock.now() });
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
