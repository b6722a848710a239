import type { CutSizes } from "./cut-sizes.ts";

/** Bytes that still count in a hash of 32 bits which is doubled for each byte. */
const windowBytes = 32;

/** What the innermost loop works on; one object for the life of a cutter, so that nothing is allocated on the way. */
interface Scan {
  readonly table: Int32Array;
  bytes: Uint8Array;
  at: number;
  hash: number;
}

/**
 * Finds where the chunks of a stream end: a gear hash over the last 32 bytes decides, so that the same content is cut
 * alike wherever it lies, however it comes in. Nothing is looked at before a chunk's smallest length.
 */
export class StreamCutter {
  readonly #sizes: CutSizes;
  readonly #scan: Scan;
  readonly #strictMask: number;
  readonly #looseMask: number;
  /** Bytes of the chunk that were looked at before. */
  #length = 0;

  constructor(table: Int32Array, sizes: CutSizes) {
    this.#sizes = sizes;
    this.#scan = { table, bytes: new Uint8Array(0), at: 0, hash: 0 };
    this.#strictMask = upperBits(sizes.strictBits);
    this.#looseMask = upperBits(sizes.looseBits);
  }

  /**
   * Looks at `bytes` from `from` up to `to`, which follow on what was looked at before, in the same buffer or not. Answers
   * where the chunk ends (the index behind its last byte), or 0 when it goes on.
   */
  find(bytes: Uint8Array, from: number, to: number): number {
    const { minBytes, normalBytes, maxBytes } = this.#sizes;
    const scan = this.#scan;
    const start = from - this.#length;
    scan.bytes = bytes;
    scan.at = Math.min(to, Math.max(from, start + minBytes - windowBytes));
    warmUp(scan, Math.min(to, start + minBytes - 1));
    const hasEnded =
      findEnd(scan, Math.min(to, start + normalBytes - 1), this.#strictMask) ||
      findEnd(scan, Math.min(to, start + maxBytes - 1), this.#looseMask);
    if (!hasEnded && to - start < maxBytes) {
      this.#length = to - start;
      return 0;
    }
    this.#length = 0;
    scan.hash = 0;
    return hasEnded ? scan.at : start + maxBytes;
  }
}

function upperBits(count: number): number {
  return -1 << (32 - count);
}

function warmUp(scan: Scan, to: number): void {
  const { table, bytes } = scan;
  for (; scan.at < to; scan.at++) scan.hash = ((scan.hash << 1) + table[bytes[scan.at]!]!) | 0;
}

/**
 * Goes on to `to` at most; true when a chunk ends before it, `at` is behind its last byte then. Four steps a round: twice
 * as fast as one (1.7 GB/s on one core), and the hottest loop of a backup in which little is new.
 */
function findEnd(scan: Scan, to: number, mask: number): boolean {
  const { table, bytes } = scan;
  let { at, hash } = scan;
  for (const inFours = to - 3; at < inFours; at += 4) {
    hash = ((hash << 1) + table[bytes[at]!]!) | 0;
    if ((hash & mask) === 0) return endBehind(scan, at);
    hash = ((hash << 1) + table[bytes[at + 1]!]!) | 0;
    if ((hash & mask) === 0) return endBehind(scan, at + 1);
    hash = ((hash << 1) + table[bytes[at + 2]!]!) | 0;
    if ((hash & mask) === 0) return endBehind(scan, at + 2);
    hash = ((hash << 1) + table[bytes[at + 3]!]!) | 0;
    if ((hash & mask) === 0) return endBehind(scan, at + 3);
  }
  for (; at < to; at++) {
    hash = ((hash << 1) + table[bytes[at]!]!) | 0;
    if ((hash & mask) === 0) return endBehind(scan, at);
  }
  scan.at = at;
  scan.hash = hash;
  return false;
}

function endBehind(scan: Scan, at: number): true {
  scan.at = at + 1;
  return true;
}
