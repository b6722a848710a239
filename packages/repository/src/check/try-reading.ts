import { isDamage } from "../point/is-damage.ts";
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
