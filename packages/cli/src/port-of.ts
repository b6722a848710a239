import { GarrisonError } from "@garrison/core/garrison-error";

/** Checks `--port` here, before anything is made for the program that would listen there. */
export function portOf(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return text;
  throw new GarrisonError("usage", `--port is ${text}; it takes 0 to 65535`);
}
