import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { deriveRepository } from "./derive-keys.ts";
import { parseJson } from "../format/json-fields.ts";
import { decodeWrap } from "../format/key-wrap.ts";
import { formatVersion } from "../format/format-limits.ts";
import { repositoryObjectName, wrapPrefix } from "../format/object-names.ts";
import type { DomainKeys } from "./keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

/** `masterSecret`: 32 random bytes (an appliance's own, or an escrow), which skip the slow password derivation. */
export type RepositorySecret = { readonly password: string } | { readonly masterSecret: Uint8Array };

/** An opened repository: the holder of the master keys. It derives keys and touches no store. */
export interface Repository {
  /** 32 hex digits. */
  readonly repositoryId: string;
  /** Number of the newest master key: everything new is sealed in it. */
  readonly epoch: number;
  domainKeys(domain: string): DomainKeys;
  /** A session has one epoch, that of its `open`; a new one takes the newest. Throws `keys-outdated`. */
  sessionDataKey(domain: string, sessionId: string, epoch: number): Uint8Array;
  /** Ed25519 private key (PKCS #8) of the newest epoch, signs fences and tombstones: the keeper's alone. */
  controlPrivateKey(domain: string): Uint8Array;
}

/** Opens a repository with any one of its wraps. Throws `repository-missing`, `repository-password-wrong`. */
export async function openRepository(
  dependencies: { readonly store: ObjectStore },
  secret: RepositorySecret,
  call: StoreCall,
): Promise<Repository> {
  const { store } = dependencies;
  const { repositoryId } = await readRepositoryHeader(store, call);
  for await (const object of store.list(wrapPrefix, call)) {
    const wrapId = object.key.slice(wrapPrefix.length);
    const masterKeys = decodeWrap({ repositoryId, wrapId }, secret, await store.read(object.key, call));
    if (masterKeys !== undefined) return deriveRepository(repositoryId, masterKeys);
  }
  throw new GarrisonError("repository-password-wrong", `no key of ${store.address} opens with this secret`);
}

export interface RepositoryHeader {
  readonly repositoryId: string;
  readonly createdAtMs: number;
}

/** The one unsealed object. Throws `repository-missing`, `repository-unsupported`. */
export async function readRepositoryHeader(store: ObjectStore, call: StoreCall): Promise<RepositoryHeader> {
  let bytes: Uint8Array;
  try {
    bytes = await store.read(repositoryObjectName, call);
  } catch (cause) {
    if (!isGarrisonError(cause, "object-missing")) throw cause;
    throw new GarrisonError("repository-missing", `${store.address} holds no repository`, { cause });
  }
  const fields = parseJson(bytes, repositoryObjectName);
  const isOurs = fields.text("format") === "garrison-repository";
  if (!isOurs || fields.count("version") !== formatVersion) {
    throw new GarrisonError("repository-unsupported", `${store.address} has another format or version`);
  }
  return { repositoryId: fields.hex("repositoryId", 16), createdAtMs: fields.count("createdAtMs") };
}
