import { createHash } from "node:crypto";
import { blockSizeBytes } from "../disk/block-source.ts";

export const goldenPassword = "golden";

/** SHA-256 over the index and the content of each block that is not zero, ascending; hex. */
export function digestBlocks(blocks: ReadonlyMap<number, Uint8Array>): string {
  const zero = Buffer.alloc(blockSizeBytes);
  const digest = createHash("sha256");
  for (const [index, bytes] of [...blocks].sort(([left], [right]) => left - right)) {
    if (!zero.equals(bytes)) digest.update(`${index}:`).update(bytes);
  }
  return digest.digest("hex");
}
