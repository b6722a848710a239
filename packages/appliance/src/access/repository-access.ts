import { parseS3Address } from "@garrison/aws/s3-address";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import type { AwsClients } from "@garrison/aws/aws-clients";
import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { openFolderObjectStore } from "@garrison/repository/store/folder-object-store";
import type { ObjectStore } from "@garrison/repository/store/object-store";
import {
  openRepository,
  type Repository,
  type RepositorySecret,
} from "@garrison/repository/keys/open-repository";
import { openRetryingObjectStore } from "@garrison/repository/store/retrying-object-store";
import type { SecretBox } from "../secrets/secret-box.ts";
import type { StoredRepository } from "../store/repositories.ts";
import type { AssumableRole, AwsAccess } from "./aws-access.ts";

export interface OpenedRepository {
  readonly record: StoredRepository;
  readonly store: ObjectStore;
  readonly repository: Repository;
}

/** Opened repositories; the slow derivation from a password is done once for each. */
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
  const opened = new Map<string, OpenedRepository>();
  return {
    async open(record, call) {
      const known = opened.get(record.id);
      if (known !== undefined) return known;
      const store = openStoreAt(dependencies, record);
      const secret = openSecret(secrets, record);
      const repository = await openRepository({ store }, secret, call);
      const result = { record, store, repository };
      opened.set(record.id, result);
      return result;
    },
  };
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

export function sealSecret(secrets: SecretBox, id: string, secret: RepositorySecret): string {
  const plain =
    "password" in secret
      ? { password: secret.password }
      : { masterSecret: Buffer.from(secret.masterSecret).toString("base64") };
  return secrets.seal(JSON.stringify(plain), `repository ${id}`);
}

function openSecret(secrets: SecretBox, record: StoredRepository): RepositorySecret {
  const plain = JSON.parse(secrets.open(record.secret, `repository ${record.id}`)) as {
    readonly password?: string;
    readonly masterSecret?: string;
  };
  if (plain.password !== undefined) return { password: plain.password };
  return { masterSecret: new Uint8Array(Buffer.from(plain.masterSecret ?? "", "base64")) };
}
