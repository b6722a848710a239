import { createHash } from "node:crypto";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";

export interface ClientTokenRecord {
  readonly inputDigest: string;
  /** What the first call made. */
  readonly ids: readonly string[];
}

/** A call with an idempotency token: what an earlier one with the same token made, and how to note what this one does. */
export interface TokenedCall {
  readonly earlierIds: readonly string[] | undefined;
  remember(ids: readonly string[]): void;
}

/** Throws when the token was used with other parameters. Calls without a token are always new. */
export function openClientToken(
  call: Call,
  operation: string,
  input: { readonly ClientToken?: string | undefined },
): TokenedCall {
  const token = input.ClientToken;
  if (token === undefined || token === "") return { earlierIds: undefined, remember: () => undefined };
  const table = call.lab.ec2.tables.clientTokens;
  const key = [call.accountId, call.region, operation, token].join("/");
  const inputDigest = createHash("sha256").update(JSON.stringify(input)).digest("hex");
  const earlier = table.get(key);
  if (earlier !== undefined && earlier.inputDigest !== inputDigest) {
    throw new AwsError(
      "IdempotentParameterMismatch",
      "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
    );
  }
  return {
    earlierIds: earlier?.ids,
    remember: (ids) => table.put(key, { inputDigest, ids }),
  };
}
