import { throwIfAborted } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Answer, Call } from "@garrison/roles/prober";
import { translateAwsError } from "./translate-aws-error.ts";

/** Turns what AWS answered into a result of the check: only a stop request is still thrown. */
export async function askAws<Value>(
  call: Call,
  doing: string,
  ask: () => Promise<Value>,
): Promise<Answer<Value>> {
  try {
    return { outcome: "known", value: await ask() };
  } catch (error) {
    throwIfAborted(call.signal);
    const named = translateAwsError(error, doing);
    const cause = isGarrisonError(error) ? error.cause : error;
    const message = cause instanceof Error ? cause.message : named.message;
    if (named.code === "aws-access-denied") return { outcome: "refused", message };
    if (named.code === "aws-not-found") return { outcome: "missing", message };
    return { outcome: "unreachable", message: `${named.code} while ${doing}: ${message}` };
  }
}
