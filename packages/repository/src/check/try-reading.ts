import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Finding } from "./check-plan.ts";

/** Runs a read; a named error becomes a finding and nothing is returned. Others (no access, stopped) are thrown. */
export async function* tryReading<Result>(
  about: Pick<Finding, "key" | "point" | "volumeId" | "range">,
  read: () => Promise<Result>,
): AsyncGenerator<Finding, Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!isDamage(error)) throw error;
    yield { severity: "damage", code: error.code, ...about, message: error.message };
    return undefined;
  }
}

const damageCodes = new Set([
  "object-missing",
  "object-truncated",
  "object-damaged",
  "object-malformed",
  "page-damaged",
  "chunk-damaged",
  // The keys of a check are fresh: an epoch they don't know is nobody's.
  "keys-outdated",
]);

function isDamage(error: unknown): error is Error & { readonly code: string } {
  return isGarrisonError(error) && damageCodes.has(error.code);
}
