import { CreateBucketCommand } from "@aws-sdk/client-s3";
import type { AwsClients } from "./aws-clients.ts";
import { awsErrorCode, translateAwsError } from "./translate-aws-error.ts";

/** Makes a private bucket in the clients' Region. One that is ours already is left as it is. */
export async function createBucket(
  clients: AwsClients,
  bucket: string,
  call: { readonly signal: AbortSignal },
): Promise<void> {
  const { region } = clients.options;
  // us-east-1 is the default of the API and must not be named.
  const configuration =
    region === "us-east-1"
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: region as "eu-central-1" } };
  try {
    await clients
      .s3()
      .send(new CreateBucketCommand({ Bucket: bucket, ...configuration }), { abortSignal: call.signal });
  } catch (error) {
    if (awsErrorCode(error) !== "BucketAlreadyOwnedByYou")
      throw translateAwsError(error, `making bucket ${bucket}`);
  }
}
