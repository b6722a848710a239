import { GarrisonError } from "@garrison/core/garrison-error";

/** `5%` or `0.05`: a share above 0 and up to 1. */
export function parseShare(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === "%" ? 100 : 1);
  if (share > 0 && share <= 1) return share;
  throw new GarrisonError("usage", `${option} is a share such as 1% or 0.01, up to 100%, not ${text}`);
}
