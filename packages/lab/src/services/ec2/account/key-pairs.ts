import type {
  CreateKeyPairCommandInput,
  DeleteKeyPairCommandInput,
  DescribeKeyPairsCommandInput,
} from "@aws-sdk/client-ec2";
import { createHash, generateKeyPairSync } from "node:crypto";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter, notFound } from "../shared/ec2-errors.ts";
import { filterRecords } from "../shared/filter-records.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { ownedRecords, type Viewer } from "../shared/owned-records.ts";
import { permit, permitAny } from "../shared/permit.ts";
import { ec2Arn } from "../shared/resource-access.ts";
import { formatTags, requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import type { KeyPairRecord } from "./key-pair-record.ts";

export function findKeyPair(viewer: Viewer, keyName: string): KeyPairRecord {
  const pair = ownedRecords(viewer, viewer.lab.ec2.tables.keyPairs.values()).find(
    (one) => one.keyName === keyName,
  );
  if (pair === undefined) throw notFound("InvalidKeyPair.NotFound", "key pair", keyName);
  return pair;
}

export function describeKeyPairs(input: DescribeKeyPairsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeKeyPairs");
  const all = ownedRecords(call, call.lab.ec2.tables.keyPairs.values());
  const named = input.KeyNames?.length ? input.KeyNames.map((name) => findKeyPair(call, name)) : all;
  const pairs = filterRecords(named, input.Filters, {
    "key-name": (pair: KeyPairRecord) => pair.keyName,
    "key-pair-id": (pair: KeyPairRecord) => pair.keyPairId,
    fingerprint: (pair: KeyPairRecord) => pair.fingerprint,
  });
  return {
    KeyPairs: pairs.map((pair) => ({
      KeyPairId: pair.keyPairId,
      KeyName: pair.keyName,
      KeyType: pair.keyType,
      KeyFingerprint: pair.fingerprint,
      CreateTime: new Date(pair.createdAtMs),
      PublicKey: input.IncludePublicKey === true ? pair.publicKey : undefined,
      Tags: formatTags(pair.tags),
    })),
  };
}

export function createKeyPair(input: CreateKeyPairCommandInput, call: Call): object {
  if (input.KeyName === undefined) throw missingParameter("KeyName");
  const keyName = input.KeyName;
  const tags = tagsFor(input.TagSpecifications, "key-pair");
  const created = {
    arn: ec2Arn(call, { accountId: call.accountId, path: `key-pair/${keyName}` }),
    accountId: call.accountId,
  };
  permit(call, input.DryRun, [
    {
      action: "ec2:CreateKeyPair",
      resources: [created],
      context: { "ec2:Region": call.region, ...requestTagContext(tags) },
    },
    ...tagOnCreate(call, "CreateKeyPair", { resource: created, tags }),
  ]);
  const { keyPairs } = call.lab.ec2.tables;
  if (ownedRecords(call, keyPairs.values()).some((one) => one.keyName === keyName)) {
    throw new AwsError("InvalidKeyPair.Duplicate", `The keypair already exists`);
  }
  const keyType = input.KeyType ?? "rsa";
  const pair =
    keyType === "ed25519"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  const publicKey = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
  const privateKey = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const record: KeyPairRecord = {
    keyPairId: newResourceId(call.lab.random, "key"),
    keyName,
    accountId: call.accountId,
    region: call.region,
    fingerprint: createHash("sha1")
      .update(privateKey)
      .digest("hex")
      .replaceAll(/(..)(?=.)/g, "$1:"),
    publicKey,
    keyType,
    createdAtMs: call.lab.clock.now(),
    tags,
  };
  keyPairs.put(record.keyPairId, record);
  return {
    KeyPairId: record.keyPairId,
    KeyName: keyName,
    KeyFingerprint: record.fingerprint,
    KeyMaterial: privateKey,
    Tags: formatTags(tags),
  };
}

export function deleteKeyPair(input: DeleteKeyPairCommandInput, call: Call): object {
  const all = ownedRecords(call, call.lab.ec2.tables.keyPairs.values());
  const pair = all.find((one) => one.keyPairId === input.KeyPairId || one.keyName === input.KeyName);
  const arn = ec2Arn(call, {
    accountId: call.accountId,
    path: `key-pair/${pair?.keyName ?? input.KeyName ?? "*"}`,
  });
  permit(call, input.DryRun, [
    {
      action: "ec2:DeleteKeyPair",
      resources: [{ arn, accountId: call.accountId, tags: pair?.tags ?? {} }],
      context: { "ec2:Region": call.region },
    },
  ]);
  if (pair !== undefined) call.lab.ec2.tables.keyPairs.delete(pair.keyPairId);
  return { Return: true, KeyPairId: pair?.keyPairId };
}
