import { CreateKeyCommand } from "@aws-sdk/client-kms";
import type { AwsClients } from "./aws-clients.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** Makes a symmetric KMS key that the account's own IAM policies decide about, and answers its ARN. */
export async function createKey(
  clients: AwsClients,
  description: string,
  call: { readonly signal: AbortSignal },
): Promise<string> {
  try {
    const command = new CreateKeyCommand({ Description: description });
    const { KeyMetadata } = await clients.kms().send(command, { abortSignal: call.signal });
    return KeyMetadata?.Arn ?? "";
  } catch (error) {
    throw translateAwsError(error, `making the KMS key ${description}`);
  }
}
