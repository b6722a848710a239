import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { AwsCredentials } from "./aws-credentials.ts";
import { translateAwsError } from "./translate-aws-error.ts";

export interface AssumeRoleRequest {
  readonly roleArn: string;
  readonly externalId?: string;
  /** Seen in the target account's CloudTrail. 2-64 characters of `[\w+=,.@-]`. */
  readonly sessionName: string;
  /** Narrows the session to the intersection; at most 2,048 characters. */
  readonly sessionPolicy?: object;
  /** At most 3,600 when the caller is itself a role (role chaining). Default 3,600. */
  readonly durationSeconds?: number;
}

export async function assumeRole(
  sts: STSClient,
  request: AssumeRoleRequest,
  call: { readonly signal: AbortSignal },
): Promise<AwsCredentials> {
  const command = new AssumeRoleCommand({
    RoleArn: request.roleArn,
    RoleSessionName: request.sessionName,
    DurationSeconds: request.durationSeconds ?? 3600,
    ExternalId: request.externalId,
    Policy: request.sessionPolicy === undefined ? undefined : JSON.stringify(request.sessionPolicy),
  });
  try {
    const { Credentials: granted } = await sts.send(command, { abortSignal: call.signal });
    if (
      granted?.AccessKeyId === undefined ||
      granted.SecretAccessKey === undefined ||
      granted.SessionToken === undefined
    ) {
      throw new GarrisonError("aws-unavailable", `STS answered without credentials for ${request.roleArn}`);
    }
    return {
      accessKeyId: granted.AccessKeyId,
      secretAccessKey: granted.SecretAccessKey,
      sessionToken: granted.SessionToken,
      expiresAtMs: granted.Expiration?.getTime() ?? 0,
    };
  } catch (error) {
    throw translateAwsError(error, `assuming ${request.roleArn}`);
  }
}
