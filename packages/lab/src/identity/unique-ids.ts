import type { Random } from "@garrison/core/random";

/** AWS's prefixes of unique ids. */
export type IdPrefix = "AIDA" | "AROA" | "AIPA" | "ANPA" | "AKIA" | "ASIA";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** `AROA…`: 21 characters for principals and policies, 20 for access keys. */
export function newUniqueId(random: Random, prefix: IdPrefix): string {
  const length = prefix === "AKIA" || prefix === "ASIA" ? 16 : 17;
  let text: string = prefix;
  for (const byte of random.bytes(length)) text += alphabet[byte & 31];
  return text;
}

/** 40 characters. */
export function newSecretAccessKey(random: Random): string {
  return Buffer.from(random.bytes(30)).toString("base64");
}

/** AWS says never to assume its length; this one is about as long as real ones. */
export function newSessionToken(random: Random): string {
  return `FwoGZXIvYXdz${Buffer.from(random.bytes(270)).toString("base64")}`;
}

/** Organizations ids: `ou-root-3f9c2a71`, `p-3f9c2a71`. */
export function newLowerId(random: Random, length: number): string {
  return Array.from(random.bytes(length), (byte) => "abcdefghijklmnopqrstuvwxyz0123456789"[byte % 36]).join(
    "",
  );
}
