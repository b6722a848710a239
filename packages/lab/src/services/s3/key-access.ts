import { AwsError } from "../../wire/aws-error.ts";
import { findKey, keyAccess } from "../kms/find-key.ts";
import type { ObjectEncryption } from "./object-record.ts";
import type { BucketCall } from "./s3-access.ts";

export interface KeyUse {
  /** The object's key in the bucket. */
  readonly key: string;
  readonly encryption: ObjectEncryption;
  readonly actions: readonly ("kms:GenerateDataKey" | "kms:Decrypt")[];
}

/**
 * Rights on the KMS key of an object. S3 uses the key in the caller's name, so the caller needs them. The encryption
 * context is the object's ARN, or with a bucket key the bucket's.
 */
export function authorizeKeyUse(at: BucketCall, { key, encryption, actions }: KeyUse): void {
  const { call, bucket } = at;
  if (encryption.algorithm === "AES256") return;
  const keyId = encryption.keyId ?? "alias/aws/s3";
  const place = { accountId: bucket.accountId, region: bucket.region };
  const found = findKey(call.lab, keyId, place);
  if (found === undefined)
    throw new AwsError("KMS.NotFoundException", `Key '${keyId}' does not exist`, { status: 400 });
  if (found.state !== "Enabled")
    throw new AwsError("KMS.DisabledException", `${found.arn} is disabled.`, { status: 400 });
  const bucketArn = `arn:${call.partition}:s3:::${bucket.name}`;
  const contextArn = encryption.bucketKey ? bucketArn : `${bucketArn}/${key}`;
  for (const action of actions) {
    call.authorize({
      action,
      resources: [keyAccess(call.lab, found)],
      context: {
        "kms:ViaService": `s3.${bucket.region}.amazonaws.com`,
        "kms:CallerAccount": call.accountId,
        "kms:EncryptionContext:aws:s3:arn": contextArn,
        "kms:EncryptionContextKeys": ["aws:s3:arn"],
      },
    });
  }
}
