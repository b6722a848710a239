import { KiB } from "@garrison/core/units";

/** The unit of EBS snapshots. */
export const blockBytes = 512 * KiB;

const zeros = Buffer.alloc(blockBytes);

/** SHA-256 of a block of zeros. */
export const zeroBlockDigest = Buffer.from(
  "07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541",
  "hex",
);

export function isZeroBlock(bytes: Uint8Array): boolean {
  return bytes.length === blockBytes && zeros.equals(bytes);
}

/** How many blocks a disk of that size has; the last one may be partial. */
export function blockCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes);
}
