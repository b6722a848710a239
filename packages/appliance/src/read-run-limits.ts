import { GarrisonError } from "@garrison/core/garrison-error";
import { defaultRunLimits, type RunLimits } from "./runs/run-dependencies.ts";

/**
 * `GARRISON_RUN_LIMITS`: a JSON object with those of the limits that are to differ, as whole numbers above zero. Throws
 * `configuration-invalid` with the name of what is wrong.
 */
export function readRunLimits(text: string): Partial<RunLimits> {
  const given = parseObject(text);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultRunLimits, name)) {
      throw refused(`has no limit ${name}; there are ${Object.keys(defaultRunLimits).join(", ")}`);
    }
    if (!Number.isSafeInteger(value) || Number(value) < 1) {
      throw refused(`gives ${name} ${JSON.stringify(value)}, not a whole number above zero`);
    }
  }
  return given as Partial<RunLimits>;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const given: unknown = JSON.parse(text);
    if (typeof given === "object" && given !== null && !Array.isArray(given)) return { ...given };
  } catch {
    // said below
  }
  throw refused("is not a JSON object");
}

function refused(what: string): GarrisonError {
  return new GarrisonError("configuration-invalid", `GARRISON_RUN_LIMITS ${what}`);
}
