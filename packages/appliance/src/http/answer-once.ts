import { createHash } from "node:crypto";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { AppDependencies } from "../app/app-dependencies.ts";
import { answerKey, claimKey, releaseKey } from "../store/idempotency-keys.ts";

const keyPattern = /^[\x21-\x7e]{1,128}$/;

/** With an idempotency key the work is done once, and a repeated request gets the first one's answer. */
export async function answerOnce(
  { queries, clock }: Pick<AppDependencies, "queries" | "clock">,
  request: {
    readonly key: string | string[] | undefined;
    readonly operation: string;
    readonly body: unknown;
  },
  work: () => Promise<unknown>,
): Promise<unknown> {
  const { key, operation } = request;
  if (key === undefined) return work();
  if (typeof key !== "string" || !keyPattern.test(key)) {
    throw new GarrisonError("request-invalid", "the idempotency key is not 1 to 128 printable characters");
  }
  const requestHash = createHash("sha256")
    .update(JSON.stringify(request.body ?? null))
    .digest("hex");
  const claim = await claimKey(queries, { key, operation, requestHash }, new Date(clock.now()));
  if (claim !== "claimed") return claim.response;
  try {
    const response = await work();
    await answerKey(queries, key, response);
    return response;
  } catch (error) {
    await releaseKey(queries, key);
    throw error;
  }
}
