import { randomUUID } from "node:crypto";
import type { Lab } from "../../lab.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { ResourceAccess } from "../../wire/operation-handler.ts";
import { awsManagedKeyPolicy, grantsOn, shownKeyPolicy, type KeyOwner } from "./key-policy.ts";
import { keyTables, type AliasRecord, type KeyRecord } from "./key-record.ts";

/** Where a key is looked for when its name doesn't say: the caller's account and Region. */
export interface KeyPlace {
  readonly accountId: string;
  readonly region: string;
}

/**
 * Finds a key by id, ARN, alias or alias ARN; undefined when there is none. `alias/aws/ebs` and the like are made on
 * first use, one for each account and Region, as AWS does.
 */
export function findKey(lab: Lab, keyId: string, place: KeyPlace): KeyRecord | undefined {
  const { keys, aliases } = keyTables(lab.state);
  const arn = keyId.startsWith("arn:") ? keyId : arnOf(lab, keyId, place);
  const aliasName = arn.split(":").slice(5).join(":");
  if (!aliasName.startsWith("alias/")) return keys.get(arn);
  const [, , , region = "", accountId = ""] = arn.split(":");
  const alias = aliases.get(arn) ?? makeManagedAlias(lab, aliasName, { accountId, region });
  return alias && keys.get(arnOf(lab, alias.keyId, alias));
}

/** As findKey; throws NotFoundException. */
export function requireKey(lab: Lab, keyId: string, place: KeyPlace): KeyRecord {
  const key = findKey(lab, keyId, place);
  if (key === undefined)
    throw new AwsError(
      "NotFoundException",
      `Key '${keyId.startsWith("arn:") ? keyId : arnOf(lab, keyId, place)}' does not exist`,
    );
  return key;
}

/** The key for the authoriser: its policy, grants, tags and aliases. */
export function keyAccess(lab: Lab, key: KeyRecord): ResourceAccess {
  const aliases = [...keyTables(lab.state).aliases.values()].filter(
    (alias) => alias.keyId === key.keyId && alias.accountId === key.accountId,
  );
  return {
    arn: key.arn,
    accountId: key.accountId,
    tags: key.tags,
    policy: shownKeyPolicy(lab, key),
    kmsGrants: grantsOn(lab, key),
    context: {
      "kms:KeySpec": "SYMMETRIC_DEFAULT",
      "kms:KeyUsage": "ENCRYPT_DECRYPT",
      "kms:KeyOrigin": "AWS_KMS",
      ...(aliases.length === 0 ? {} : { "kms:ResourceAliases": aliases.map(({ name }) => name) }),
    },
  };
}

export function arnOf(lab: Lab, keyId: string, { accountId, region }: KeyPlace): string {
  const path = keyId.startsWith("alias/") ? keyId : `key/${keyId}`;
  return `arn:${lab.settings.partition}:kms:${region}:${accountId}:${path}`;
}

const managedServices = new Set(["ebs", "s3", "sqs", "rds", "elasticfilesystem", "backup"]);

function makeManagedAlias(lab: Lab, name: string, place: KeyPlace): AliasRecord | undefined {
  const service = name.slice("alias/aws/".length);
  if (
    !name.startsWith("alias/aws/") ||
    !managedServices.has(service) ||
    !lab.identity.accounts.has(place.accountId)
  )
    return undefined;
  const owner: KeyOwner = { ...place, partition: lab.settings.partition };
  const key = makeKey(lab, {
    place,
    policy: awsManagedKeyPolicy(owner, service),
    manager: "AWS",
    description: `Default key that protects my ${service} data when no other key is defined`,
  });
  const alias: AliasRecord = { name, ...place, keyId: key.keyId, createdAtMs: key.createdAtMs };
  keyTables(lab.state).aliases.put(arnOf(lab, name, place), alias);
  return alias;
}

export interface NewKey {
  readonly place: KeyPlace;
  /** With principals by unique id. */
  readonly policy: string;
  readonly manager: KeyRecord["manager"];
  readonly description: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export function makeKey(lab: Lab, { place, policy, manager, description, tags = {} }: NewKey): KeyRecord {
  const keyId = randomUUID();
  const key: KeyRecord = {
    keyId,
    accountId: place.accountId,
    region: place.region,
    arn: arnOf(lab, keyId, place),
    material: Buffer.from(lab.random.bytes(32)).toString("base64"),
    description,
    policy,
    createdAtMs: lab.clock.now(),
    state: "Enabled",
    manager,
    tags,
  };
  keyTables(lab.state).keys.put(key.arn, key);
  return key;
}
