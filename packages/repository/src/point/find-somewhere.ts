import { isGarrisonError } from "@garrison/core/garrison-error";

/**
 * Looks in one place after the other. One where something of a newer key epoch lies (or claims to) does not keep the
 * others from being asked; when none of them has it, `keys-outdated` is thrown: newer keys may find it.
 */
export async function findSomewhere<Result>(
  places: readonly (() => Promise<Result | undefined>)[],
): Promise<Result | undefined> {
  let outdated: unknown;
  for (const look of places) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      if (!isGarrisonError(error, "keys-outdated")) throw error;
      outdated = error;
    }
  }
  if (outdated !== undefined) throw outdated;
  return undefined;
}
