import { GarrisonError } from "@garrison/core/garrison-error";
import { and, eq, isNull } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { idempotencyKeys } from "./database/schema.ts";

export interface KeyedRequest {
  readonly key: string;
  readonly operation: string;
  readonly requestHash: string;
}

/**
 * Claims a key for one request. Answers `claimed`, or what the request was answered before. Throws
 * `idempotency-key-reused` for another request's key, `run-conflict` while the first one is still at work.
 */
export async function claimKey(
  queries: Queries,
  request: KeyedRequest,
  createdAt: Date,
): Promise<"claimed" | { readonly response: unknown }> {
  const inserted = await queries
    .insert(idempotencyKeys)
    .values({ ...request, createdAt })
    .onConflictDoNothing()
    .returning({ key: idempotencyKeys.key });
  if (inserted.length > 0) return "claimed";
  const [known] = await queries.select().from(idempotencyKeys).where(eq(idempotencyKeys.key, request.key));
  if (known?.operation !== request.operation || known.requestHash !== request.requestHash) {
    throw new GarrisonError("idempotency-key-reused", `the key ${request.key} belongs to another request`);
  }
  if (known.response === null) {
    throw new GarrisonError("run-conflict", `the request with key ${request.key} is still at work`);
  }
  return { response: known.response };
}

export async function answerKey(queries: Queries, key: string, response: unknown): Promise<void> {
  await queries.update(idempotencyKeys).set({ response }).where(eq(idempotencyKeys.key, key));
}

/** A request that failed may be sent again with its key. */
export async function releaseKey(queries: Queries, key: string): Promise<void> {
  await queries
    .delete(idempotencyKeys)
    .where(and(eq(idempotencyKeys.key, key), isNull(idempotencyKeys.response)));
}
