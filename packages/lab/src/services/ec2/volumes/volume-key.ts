import type { Call, ResourceAccess } from "../../../wire/operation-handler.ts";

/** The key as IAM sees it; the account's `aws/ebs` key when none is named. */
export function findVolumeKey(call: Call, keyId: string | undefined): ResourceAccess {
  const { partition, region, accountId } = call;
  const name = keyId ?? "alias/aws/ebs";
  if (name.startsWith("arn:")) return { arn: name, accountId: name.split(":")[4] ?? accountId };
  const path = name.startsWith("alias/") ? name : `key/${name}`;
  return { arn: `arn:${partition}:kms:${region}:${accountId}:${path}`, accountId };
}
