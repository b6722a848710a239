/** Whether a row was refused because there is one already (PostgreSQL 23505), however deep the driver says it. */
export function isUniqueViolation(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if ((cause as { readonly code?: unknown }).code === "23505") return true;
  }
  return false;
}
