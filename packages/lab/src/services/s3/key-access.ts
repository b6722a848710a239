import { keyAccess, requireKey } from "../kms/find-key.ts";
import type { ObjectEncryption } from "./object-record.ts";
import type { BucketCall } from "./s3-access.ts";

/**
 * Rights on the KMS key of an object. S3 uses the key as the caller, so the caller needs them. The AWS managed key of
 * S3 lets everybody in through S3 and is not asked.
 */
export function authorizeKeyUse(
  at: BucketCall,
  encryption: ObjectEncryption,
  actions: readonly string[],
): void {
  const { call, bucket } = at;
  if (encryption.algorithm === "AES256" || encryption.keyId === undefined) return;
  if (encryption.keyId.endsWith("alias/aws/s3")) return;
  const place = { accountId: call.accountId, region: bucket.region };
  const key = keyAccess(call.lab, requireKey(call.lab, encryption.keyId, place));
  const bucketArn = `arn:${call.partition}:s3:::${bucket.name}`;
  for (const action of actions) {
    call.authorize({
      action,
      resources: [key],
      context: {
        "kms:ViaService": `s3.${bucket.region}.amazonaws.com`,
        "kms:CallerAccount": call.accountId,
        "kms:EncryptionContext:aws:s3:arn": bucketArn,
      },
    });
  }
}
