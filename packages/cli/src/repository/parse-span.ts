import { GarrisonError } from "@garrison/core/garrison-error";
import { dayMs, minuteMs, secondMs } from "@garrison/core/units";

const units: Readonly<Record<string, number>> = {
  s: secondMs,
  m: minuteMs,
  h: 60 * minuteMs,
  d: dayMs,
  w: 7 * dayMs,
};

/** `90m`, `24h`, `7d`, `2w`, or several of them one after the other. */
export function parseSpan(text: string, option: string): number {
  const parts = [...text.matchAll(/(\d+)([smhdw])/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join("") === text)
    return parts.reduce((total, [, count, unit]) => total + Number(count) * units[unit!]!, 0);
  if (text === "0") return 0;
  throw new GarrisonError("usage", `${option} is a time such as 12h, 7d or 2w, not ${text}`);
}
