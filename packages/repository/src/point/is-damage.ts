import { isGarrisonError, type GarrisonError } from "@garrison/core/garrison-error";

const damageCodes: ReadonlySet<string> = new Set([
  "object-missing",
  "object-truncated",
  "object-damaged",
  "object-malformed",
  "page-damaged",
  "chunk-damaged",
  // Whoever looks for damage has fresh keys: an epoch they don't know is nobody's.
  "keys-outdated",
]);

/** Whether an error says that stored bytes are gone or wrong. Others say nothing about them. */
export function isDamage(error: unknown): error is GarrisonError {
  return isGarrisonError(error) && damageCodes.has(error.code);
}
