import type { Call, ResourceAccess } from "../../../wire/operation-handler.ts";
import { findKey, keyAccess } from "../../kms/find-key.ts";
import type { KeyRecord } from "../../kms/key-record.ts";
import { invalidParameter } from "../shared/ec2-errors.ts";

/** What the creator of an encrypted volume must be allowed on its key. */
const useRights = ["kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"];

/** The key as IAM sees it, by id, ARN or alias; the account's `aws/ebs` key when none is named. */
export function findVolumeKey(call: Call, keyId: string | undefined): ResourceAccess {
  return keyAccess(call.lab, findVolumeKeyRecord(call, keyId));
}

export function findVolumeKeyRecord(call: Call, keyId: string | undefined): KeyRecord {
  const key = findKey(call.lab, keyId ?? "alias/aws/ebs", call);
  if (key === undefined) throw invalidParameter(`The KMS key '${keyId}' does not exist.`);
  return key;
}

/** Whether the caller may do this with the key by way of EC2. */
export function mayUseKey(call: Call, key: ResourceAccess, action: string): boolean {
  return call.isAllowed({
    action,
    resources: [key],
    context: {
      "kms:ViaService": `ec2.${call.region}.amazonaws.com`,
      "kms:CallerAccount": call.accountId,
      ...(action === "kms:CreateGrant" ? { "kms:GrantIsForAWSResource": "true" } : {}),
    },
  });
}

/**
 * Whether the caller may make volumes with the key. EC2 doesn't say so in its answer when not: the call succeeds and
 * what was made comes to nothing a moment later.
 */
export function mayCreateWithKey(
  call: Call,
  volume: { readonly encrypted: boolean; readonly kmsKeyId?: string },
): boolean {
  if (!volume.encrypted) return true;
  const record = findVolumeKeyRecord(call, volume.kmsKeyId);
  const key = keyAccess(call.lab, record);
  return record.state === "Enabled" && useRights.every((action) => mayUseKey(call, key, action));
}
