import { createSecretKey, hkdfSync } from "node:crypto";
import { ByteWriter } from "./byte-writer.ts";

/**
 * HKDF-SHA-256 without salt; the info is `garrison/1/<label>`, a zero byte, then each part with two bytes of length in
 * front, so that no two lists of parts can be confused. 32 bytes.
 */
export function deriveKey(
  secret: Uint8Array,
  label: string,
  parts: readonly (Uint8Array | string)[],
): Uint8Array {
  const info = new ByteWriter(128).bytes(Buffer.from(`garrison/1/${label}\0`, "utf8"));
  for (const part of parts) {
    const bytes = typeof part === "string" ? Buffer.from(part, "utf8") : part;
    info.u16(bytes.length).bytes(bytes);
  }
  return new Uint8Array(hkdfSync("sha256", createSecretKey(secret), new Uint8Array(0), info.finish(), 32));
}
