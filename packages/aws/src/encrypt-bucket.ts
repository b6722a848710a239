import { PutBucketEncryptionCommand } from "@aws-sdk/client-s3";
import type { AwsClients } from "./aws-clients.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** Lets S3 encrypt every new object of the bucket under a KMS key of the owner. */
export async function encryptBucket(
  clients: AwsClients,
  { bucket, kmsKeyArn }: { readonly bucket: string; readonly kmsKeyArn: string },
  call: { readonly signal: AbortSignal },
): Promise<void> {
  const rule = {
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: kmsKeyArn } as const,
  };
  const command = new PutBucketEncryptionCommand({
    Bucket: bucket,
    ServerSideEncryptionConfiguration: { Rules: [rule] },
  });
  try {
    await clients.s3().send(command, { abortSignal: call.signal });
  } catch (error) {
    throw translateAwsError(error, `encrypting the objects of bucket ${bucket}`);
  }
}
