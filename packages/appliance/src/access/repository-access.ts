import { parseS3Address } from "@garrison/aws/s3-address";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import type { AwsClients } from "@garrison/aws/aws-clients";
import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { openFolderObjectStore } from "@garrison/repository/store/folder-object-store";
import type { ObjectStore } from "@garrison/repository/store/object-store";
import { openRepository, type Repository } from "@garrison/repository/keys/open-repository";
import type { RepositorySecret } from "@garrison/repository/keys/repository-secret";
import { wrapPrefix } from "@garrison/repository/format/object-names";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";
import type { SecretBox } from "../secrets/secret-box.ts";
import type { StoredRepository } from "../store/repositories.ts";
import type { AssumableRole, AwsAccess } from "./aws-access.ts";

export interface OpenedRepository {
  readonly record: StoredRepository;
  readonly store: ObjectStore;
  readonly repository: Repository;
}

/** A secret that an appliance can keep. */
export type KeptSecret = Exclude<RepositorySecret, { readonly kms: unknown }>;

/**
 * Opened repositories. The slow derivation from a password is done once for each, and again when its key objects have
 * changed: after a rotation the appliance goes on with the new keys by itself.
 */
export interface RepositoryAccess {
  open(record: StoredRepository, call: { readonly signal: AbortSignal }): Promise<OpenedRepository>;
}

export interface RepositoryPlace {
  readonly url: string;
  readonly roleArn?: string | undefined;
  readonly externalId?: string | undefined;
}

export interface RepositoryAccessDependencies extends StoreDependencies {
  readonly secrets: SecretBox;
}

/** What it takes to reach a repository's objects. */
export interface StoreDependencies {
  readonly access: AwsAccess;
  readonly clock: Clock;
  readonly random: Random;
  /** Where a bucket is whose address names no Region. */
  readonly region: string;
}

export function openRepositoryAccess(dependencies: RepositoryAccessDependencies): RepositoryAccess {
  const { secrets } = dependencies;
  const opened = new Map<string, OpenedRepository & { readonly keyNames: string }>();
  return {
    async open(record, call) {
      const known = opened.get(record.id);
      const store = known?.store ?? openStoreAt(dependencies, record);
      // Listed first: what changes while it is being opened shows at the next call.
      const keyNames = await listKeyNames(store, call);
      if (known?.keyNames === keyNames) return known;
      const secret = openSecret(secrets, record);
      const repository = await openRepository({ store }, secret, call);
      const result = { record, store, repository, keyNames };
      opened.set(record.id, result);
      return result;
    },
  };
}

async function listKeyNames(store: ObjectStore, call: { readonly signal: AbortSignal }): Promise<string> {
  const names: string[] = [];
  for await (const { key } of store.list(wrapPrefix, call)) names.push(key);
  return names.join("\n");
}

/** The objects at a repository's address, with its role's rights. Throws `address-invalid`. */
export function openStoreAt(dependencies: StoreDependencies, place: RepositoryPlace): ObjectStore {
  if (place.url.startsWith("file://")) {
    return openFolderObjectStore({ folder: new URL(place.url).pathname });
  }
  const address = parseS3Address(place.url);
  const clients = bucketClients(dependencies.access, place, dependencies.region);
  const { bucket, prefix } = address;
  return openRetryingObjectStore(dependencies, openS3ObjectStore({ clients, bucket, prefix }));
}

export function bucketClients(access: AwsAccess, place: RepositoryPlace, region: string): AwsClients {
  return place.roleArn === undefined ? access.appliance : access.role(repositoryRole(place, region));
}

/** The role that a repository is reached with. Throws `account-incomplete` when it has none. */
export function repositoryRole(place: RepositoryPlace, region: string): AssumableRole {
  const { roleArn, externalId, url } = place;
  if (roleArn === undefined) {
    throw new GarrisonError(
      "account-incomplete",
      `the repository ${url} has no role whose rights could be lent to a worker`,
    );
  }
  return { roleArn, externalId, region: parseS3Address(url).region ?? region };
}

export function sealSecret(secrets: SecretBox, id: string, secret: KeptSecret): string {
  const plain =
    "password" in secret
      ? { password: secret.password }
      : { masterSecret: Buffer.from(secret.masterSecret).toString("base64") };
  return secrets.seal(JSON.stringify(plain), `repository ${id}`);
}

function openSecret(secrets: SecretBox, record: StoredRepository): KeptSecret {
  const plain = JSON.parse(secrets.open(record.secret, `repository ${record.id}`)) as {
    readonly password?: string;
    readonly masterSecret?: string;
  };
  if (plain.password !== undefined) return { password: plain.password };
  return { masterSecret: new Uint8Array(Buffer.from(plain.masterSecret ?? "", "base64")) };
}
