import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { deriveRepository } from "./derive-keys.ts";
import type { DomainKeys } from "./keys.ts";
import { describeKeys, type KeysDescription } from "./describe-keys.ts";
import { openKeyring, type Keyring } from "./open-keyring.ts";
import type { KeyObjects } from "./read-key-objects.ts";
import type { RepositorySecret } from "./repository-secret.ts";

/** An opened repository: the holder of the master keys. It derives keys and touches no store. */
export interface Repository {
  /** 32 hex digits. */
  readonly repositoryId: string;
  /** Number of the newest master key at hand: everything new is sealed in it. */
  readonly epoch: number;
  /** The newest there is; greater than `epoch` when the secret's wrap was left out of a rotation. */
  readonly newestEpoch: number;
  domainKeys(domain: string): DomainKeys;
  /** A session has one epoch, that of its `open`; a new one takes the newest. Throws `keys-outdated`. */
  sessionDataKey(domain: string, sessionId: string, epoch: number): Uint8Array;
  /** What there is under `key/`, judged by the master keys at hand. */
  describeKeys(objects: KeyObjects): KeysDescription;
  /** Ed25519 private key (PKCS #8) of the newest epoch, signs fences and tombstones: the keeper's alone. */
  controlPrivateKey(domain: string): Uint8Array;
}

/**
 * Opens a repository with any one of its wraps. Throws `repository-missing`, `repository-password-wrong`, `key-retired`,
 * `keys-damaged`, or why the key service refused.
 */
export async function openRepository(
  dependencies: { readonly store: ObjectStore },
  secret: RepositorySecret,
  call: StoreCall,
): Promise<Repository> {
  return repositoryOf(await openKeyring(dependencies, { secrets: [secret] }, call));
}

export function repositoryOf(keyring: Keyring): Repository {
  const { repositoryId, masterKeys, newestEpoch } = keyring;
  return {
    ...deriveRepository(repositoryId, masterKeys),
    newestEpoch,
    describeKeys: (objects) => describeKeys({ ...keyring, objects }),
  };
}
