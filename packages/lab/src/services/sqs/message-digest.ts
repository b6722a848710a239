import { createHash } from "node:crypto";
import type { StoredAttribute } from "./queue-record.ts";

export function md5OfText(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** The digest clients verify: attributes by name, each as length-prefixed name, type, kind byte and value. */
export function md5OfAttributes(attributes: Readonly<Record<string, StoredAttribute>>): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash("md5");
  for (const name of names) {
    const { dataType, text, base64 } = attributes[name]!;
    addPrefixed(hash, Buffer.from(name));
    addPrefixed(hash, Buffer.from(dataType));
    hash.update(Buffer.from([base64 === undefined ? 1 : 2]));
    addPrefixed(hash, base64 === undefined ? Buffer.from(text ?? "") : Buffer.from(base64, "base64"));
  }
  return hash.digest("hex");
}

function addPrefixed(hash: ReturnType<typeof createHash>, bytes: Buffer): void {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  hash.update(length).update(bytes);
}
