import type { Random } from "./random.ts";

/** `run-3f9c2a71d05be884`: a prefix that says what it names, then 8 random bytes in hex. */
export function newId(random: Random, prefix: string): string {
  return `${prefix}-${Buffer.from(random.bytes(8)).toString("hex")}`;
}
