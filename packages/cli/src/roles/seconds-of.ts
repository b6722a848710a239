import { GarrisonError } from "@garrison/core/garrison-error";

/** What `--wait` was given. */
export function secondsOf(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new GarrisonError("usage", `--wait takes a number of seconds, not ${text}`);
}
