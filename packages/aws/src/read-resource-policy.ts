import { GetKeyPolicyCommand } from "@aws-sdk/client-kms";
import { GetBucketPolicyCommand } from "@aws-sdk/client-s3";
import type { Call } from "@garrison/roles/prober";
import { awsErrorCode } from "./translate-aws-error.ts";
import type { AwsClients } from "./aws-clients.ts";

/** The policy of a key or a bucket; a bucket may have none. */
export async function readResourcePolicy(
  operator: AwsClients,
  arn: string,
  { signal: abortSignal }: Call,
): Promise<object | undefined> {
  if (arn.split(":")[2] === "kms") {
    const command = new GetKeyPolicyCommand({ KeyId: arn, PolicyName: "default" });
    const { Policy } = await operator.kms().send(command, { abortSignal });
    return Policy === undefined ? undefined : (JSON.parse(Policy) as object);
  }
  try {
    const Bucket = arn.split(":::")[1];
    const { Policy } = await operator.s3().send(new GetBucketPolicyCommand({ Bucket }), { abortSignal });
    return Policy === undefined ? undefined : (JSON.parse(Policy) as object);
  } catch (error) {
    if (awsErrorCode(error) === "NoSuchBucketPolicy") return undefined;
    throw error;
  }
}
