import { AwsError } from "../../../wire/aws-error.ts";
import type { Authorization, Call } from "../../../wire/operation-handler.ts";

/** All rights that a call needs; then a DryRun ends with AWS's "would have succeeded". */
export function permit(
  call: Call,
  dryRun: boolean | undefined,
  authorizations: readonly Authorization[],
): void {
  for (const authorization of authorizations) call.authorize(authorization);
  if (dryRun === true) {
    throw new AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", {
      status: 412,
    });
  }
}

/** For actions without resources: all Describe*, and a few more. */
export function permitAny(call: Call, dryRun: boolean | undefined, action: string): void {
  permit(call, dryRun, [
    {
      action,
      resources: [{ arn: "*", accountId: call.accountId }],
      context: { "ec2:Region": call.region },
    },
  ]);
}
