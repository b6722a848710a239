import { expect, test } from "vitest";
import { openDigest } from "./checksums.ts";

// "123456789" is the check string of the CRC catalogue.
test.each([
  ["CRC32", "cbf43926"],
  ["CRC32C", "e3069283"],
  ["CRC64NVME", "ae8b14860a799888"],
  ["MD5", "25f9e794323b453885f5181f1b624d0b"],
] as const)("%s of the check string is the catalogue's", (algorithm, expected) => {
  const digest = openDigest(algorithm);
  digest.update(Buffer.from("12345"));
  digest.update(Buffer.from("6789"));
  expect(digest.digest().toString("hex")).toBe(expected);
});
