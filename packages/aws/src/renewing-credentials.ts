import type { Clock } from "@garrison/core/clock";
import { minuteMs } from "@garrison/core/units";
import { toSdkCredentials, type AwsCredentials, type CredentialSource } from "./aws-credentials.ts";

/** Renewed this long before they expire, so that no call under way outlives them. */
const renewBeforeMs = 10 * minuteMs;

/**
 * Credentials that are obtained on first use and again before they expire. Calls that ask at the same time share one
 * request; a failed renewal is not remembered.
 */
export function renewingCredentials(clock: Clock, obtain: () => Promise<AwsCredentials>): CredentialSource {
  let current: AwsCredentials | undefined;
  let pending: Promise<AwsCredentials> | undefined;
  return async () => {
    if (current !== undefined && current.expiresAtMs - clock.now() > renewBeforeMs)
      return toSdkCredentials(current);
    pending ??= obtain().finally(() => {
      pending = undefined;
    });
    current = await pending;
    return toSdkCredentials(current);
  };
}
