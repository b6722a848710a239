import { hkdfSync } from "node:crypto";
import { deriveKey } from "../format/derive-key.ts";

/**
 * The numbers that a stream is cut by: secret, one table a domain. With a public table everyone could tell the lengths of
 * the chunks that known content is cut into, and look for them in a bucket.
 */
export function deriveCutTable(idKey: Uint8Array): Int32Array {
  const secret = deriveKey(idKey, "stream cut", []);
  const bytes = Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), "garrison/1/stream cut table", 1024));
  return Int32Array.from({ length: 256 }, (_, at) => bytes.readInt32BE(at * 4));
}
