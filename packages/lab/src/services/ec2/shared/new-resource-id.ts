import type { Random } from "@garrison/core/random";

/** `i-0b1c…`: the prefix and 17 hex digits, the form of all EC2 ids since 2018. */
export function newResourceId(random: Random, prefix: string): string {
  return `${prefix}-0${Buffer.from(random.bytes(8)).toString("hex")}`;
}
