import { GarrisonError } from "@garrison/core/garrison-error";
import type { DomainKeys } from "./keys.ts";
import type { ObjectStore, StoreCall } from "./object-store.ts";

/** `masterSecret`: 32 random bytes (an appliance's own, or an escrow), which skip the slow password derivation. */
export type RepositorySecret = { readonly password: string } | { readonly masterSecret: Uint8Array };

/** An opened repository: the holder of the master key. It derives keys and touches no store. */
export interface Repository {
  /** 32 hex digits. */
  readonly repositoryId: string;
  domainKeys(domain: string): DomainKeys;
  sessionDataKey(domain: string, sessionId: string): Uint8Array;
  /** Ed25519 private key (PKCS #8), signs fences and tombstones: the keeper's alone. */
  controlPrivateKey(domain: string): Uint8Array;
}

/** Opens a repository with any one of its wraps. Throws `repository-missing`, `repository-password-wrong`. */
export async function openRepository(
  _dependencies: { readonly store: ObjectStore },
  _secret: RepositorySecret,
  _call: StoreCall,
): Promise<Repository> {
  throw new GarrisonError("internal", "opening is not wired yet");
}
