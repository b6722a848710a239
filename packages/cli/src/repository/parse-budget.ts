import { GarrisonError } from "@garrison/core/garrison-error";
import { GiB, KiB, MiB, TiB } from "@garrison/core/units";
import { parseSpan } from "./parse-span.ts";

const sizeUnits: Readonly<Record<string, number>> = { KiB, MiB, GiB, TiB };

export interface Budget {
  readonly bytes?: number;
  readonly durationMs?: number;
}

/** How much is read (`10GiB`) or how long (`30m`), or both: `10GiB,30m`. */
export function parseBudget(text: string, option: string): Budget {
  return text.split(",").reduce<Budget>((budget, part) => ({ ...budget, ...parsePart(part, option) }), {});
}

function parsePart(part: string, option: string): Budget {
  const size = /^(\d+(?:\.\d+)?)([KMGT]iB)$/.exec(part);
  if (size !== null) return { bytes: Math.floor(Number(size[1]) * sizeUnits[size[2]!]!) };
  if (/^\d+[smhdw]/.test(part)) return { durationMs: parseSpan(part, option) };
  throw new GarrisonError(
    "usage",
    `${option} is a size such as 10GiB, a time such as 30m, or both with a comma between them, not ${part}`,
  );
}
