import { AwsError } from "../../wire/aws-error.ts";
import type { Call } from "../../wire/operation-handler.ts";
import type { RateLimit } from "../ec2/ec2-settings.ts";

/** Draws on an account's quota for an operation in a Region. */
export function drawAccountQuota(call: Call, operation: string, limit: RateLimit): void {
  const bucket = call.lab.ec2.bucket(`${operation}/${call.accountId}/${call.region}`, limit);
  if (bucket.tryTake()) return;
  throw new AwsError("RequestThrottledException", `The account's rate of ${operation} calls is exceeded.`, {
    status: 400,
    members: { Reason: "ACCOUNT_THROTTLED" },
  });
}

/** The quota of one snapshot, which nobody can have raised. */
export function drawSnapshotQuota(
  call: Call,
  operation: string,
  quota: { readonly snapshotId: string; readonly limit: RateLimit },
): void {
  const bucket = call.lab.ec2.bucket(`${operation}/${quota.snapshotId}`, quota.limit);
  if (bucket.tryTake()) return;
  throw new AwsError(
    "RequestThrottledException",
    `The rate of ${operation} calls for snapshot ${quota.snapshotId} is exceeded.`,
    {
      status: 400,
      members: { Reason: "RESOURCE_LEVEL_THROTTLE" },
    },
  );
}
