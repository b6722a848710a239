import type {
  CancelKeyDeletionCommandInput,
  CreateKeyCommandInput,
  DescribeKeyCommandInput,
  DisableKeyCommandInput,
  EnableKeyCommandInput,
  GetKeyPolicyCommandInput,
  KeyMetadata,
  ListKeysCommandInput,
  ListResourceTagsCommandInput,
  PutKeyPolicyCommandInput,
  ScheduleKeyDeletionCommandInput,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from "@aws-sdk/client-kms";
import { showPrincipals, storePrincipals } from "../../identity/stored-principals.ts";
import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { checkPolicyDocument } from "../iam/check-policy-document.ts";
import { keyAccess, makeKey, requireKey } from "./find-key.ts";
import { defaultKeyPolicy } from "./key-policy.ts";
import { keyTables, type KeyRecord } from "./key-record.ts";
import { pageOfKms } from "./kms-page.ts";

const dayMs = 86_400_000;

/** Finds a key and authorises an action on it. */
export function permittedKey(call: Call, action: string, keyId: string): KeyRecord {
  const key = requireKey(call.lab, keyId, call);
  call.authorize({
    action: `kms:${action}`,
    resources: [keyAccess(call.lab, key)],
    context: { "kms:CallerAccount": call.accountId },
  });
  return key;
}

function saveKey(call: Call, key: KeyRecord): void {
  keyTables(call.lab.state).keys.put(key.arn, key);
}

export function createKey(input: CreateKeyCommandInput, call: Call): object {
  const tags = Object.fromEntries(
    (input.Tags ?? []).map(({ TagKey, TagValue }) => [TagKey ?? "", TagValue ?? ""]),
  );
  const tagContext: Record<string, readonly string[]> =
    Object.keys(tags).length === 0 ? {} : { "aws:TagKeys": Object.keys(tags) };
  call.authorize({
    action: "kms:CreateKey",
    resources: [{ arn: "*", accountId: call.accountId }],
    context: tagContext,
  });
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? "SYMMETRIC_DEFAULT";
  if (spec !== "SYMMETRIC_DEFAULT")
    throw new AwsError("UnsupportedOperationException", `The lab makes SYMMETRIC_DEFAULT keys, not ${spec}.`);
  const policy = input.Policy === undefined ? defaultKeyPolicy(call) : checkedPolicy(call, input.Policy);
  const key = makeKey(call.lab, {
    place: call,
    policy,
    manager: "CUSTOMER",
    description: input.Description ?? "",
    tags,
  });
  return { KeyMetadata: describe(key) };
}

function checkedPolicy(call: Call, document: string): string {
  try {
    checkPolicyDocument(document, "resource");
    return storePrincipals(call.lab, document);
  } catch (error) {
    throw new AwsError(
      "MalformedPolicyDocumentException",
      error instanceof Error ? error.message : String(error),
    );
  }
}

function describe(key: KeyRecord): KeyMetadata {
  return {
    AWSAccountId: key.accountId,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: new Date(key.createdAtMs),
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: "ENCRYPT_DECRYPT",
    KeyState: key.state,
    Origin: "AWS_KMS",
    KeyManager: key.manager,
    CustomerMasterKeySpec: "SYMMETRIC_DEFAULT",
    KeySpec: "SYMMETRIC_DEFAULT",
    EncryptionAlgorithms: ["SYMMETRIC_DEFAULT"],
    MultiRegion: false,
    ...(key.deletionAtMs === undefined ? {} : { DeletionDate: new Date(key.deletionAtMs) }),
  };
}

export function describeKey(input: DescribeKeyCommandInput, call: Call): object {
  return { KeyMetadata: describe(permittedKey(call, "DescribeKey", input.KeyId!)) };
}

export function listKeys(input: ListKeysCommandInput, call: Call): object {
  call.authorize({ action: "kms:ListKeys", resources: [{ arn: "*", accountId: call.accountId }] });
  const own = [...keyTables(call.lab.state).keys.values()].filter(
    ({ accountId, region }) => accountId === call.accountId && region === call.region,
  );
  const { items, ...page } = pageOfKms(own, input);
  return { Keys: items.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn })), ...page };
}

export function getKeyPolicy(input: GetKeyPolicyCommandInput, call: Call): object {
  const key = permittedKey(call, "GetKeyPolicy", input.KeyId!);
  return { Policy: showPrincipals(call.lab, key.policy), PolicyName: "default" };
}

export function listKeyPolicies(input: { readonly KeyId?: string }, call: Call): object {
  permittedKey(call, "ListKeyPolicies", input.KeyId!);
  return { PolicyNames: ["default"], Truncated: false };
}

export function putKeyPolicy(input: PutKeyPolicyCommandInput, call: Call): object {
  const key = permittedKey(call, "PutKeyPolicy", input.KeyId!);
  saveKey(call, { ...customer(key), policy: checkedPolicy(call, input.Policy!) });
  return {};
}

function customer(key: KeyRecord): KeyRecord {
  if (key.manager === "AWS")
    throw new AwsError("UnsupportedOperationException", `${key.arn} is managed by AWS.`);
  return key;
}

export function enableKey(input: EnableKeyCommandInput, call: Call): object {
  saveKey(call, { ...customer(permittedKey(call, "EnableKey", input.KeyId!)), state: "Enabled" });
  return {};
}

export function disableKey(input: DisableKeyCommandInput, call: Call): object {
  saveKey(call, { ...customer(permittedKey(call, "DisableKey", input.KeyId!)), state: "Disabled" });
  return {};
}

export function scheduleKeyDeletion(input: ScheduleKeyDeletionCommandInput, call: Call): object {
  const key = customer(permittedKey(call, "ScheduleKeyDeletion", input.KeyId!));
  const days = input.PendingWindowInDays ?? 30;
  if (days < 7 || days > 30)
    throw new AwsError("ValidationException", "PendingWindowInDays is from 7 to 30.");
  const deletionAtMs = call.lab.clock.now() + days * dayMs;
  saveKey(call, { ...key, state: "PendingDeletion", deletionAtMs });
  return {
    KeyId: key.arn,
    DeletionDate: new Date(deletionAtMs),
    KeyState: "PendingDeletion",
    PendingWindowInDays: days,
  };
}

export function cancelKeyDeletion(input: CancelKeyDeletionCommandInput, call: Call): object {
  const { deletionAtMs: _cancelled, ...key } = permittedKey(call, "CancelKeyDeletion", input.KeyId!);
  saveKey(call, { ...key, state: "Disabled" });
  return { KeyId: key.arn };
}

export function tagResource(input: TagResourceCommandInput, call: Call): object {
  const key = permittedKey(call, "TagResource", input.KeyId!);
  const tags = Object.fromEntries(
    (input.Tags ?? []).map(({ TagKey, TagValue }) => [TagKey ?? "", TagValue ?? ""]),
  );
  saveKey(call, { ...key, tags: { ...key.tags, ...tags } });
  return {};
}

export function untagResource(input: UntagResourceCommandInput, call: Call): object {
  const key = permittedKey(call, "UntagResource", input.KeyId!);
  const tags = Object.fromEntries(
    Object.entries(key.tags).filter(([name]) => !input.TagKeys?.includes(name)),
  );
  saveKey(call, { ...key, tags });
  return {};
}

export function listResourceTags(input: ListResourceTagsCommandInput, call: Call): object {
  const key = permittedKey(call, "ListResourceTags", input.KeyId!);
  return {
    Tags: Object.entries(key.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
    Truncated: false,
  };
}
