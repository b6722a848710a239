import { open, type FileHandle } from "node:fs/promises";
import { MiB } from "@garrison/core/units";

export interface BlockComparison {
  readonly sizeBytes: number;
  /** Offsets of the first differing 512 KiB blocks, at most 10. */
  readonly differingOffsets: readonly number[];
}

const windowBytes = 4 * MiB;
const blockBytes = MiB / 2;

/** Compares two disk images byte for byte. A shorter one counts as differing from where it ends. */
export async function compareBlocks(
  first: string,
  second: string,
  signal: AbortSignal,
): Promise<BlockComparison> {
  const [a, b] = await Promise.all([open(first), open(second)]);
  try {
    const [sizeA, sizeB] = [(await a.stat()).size, (await b.stat()).size];
    const differing: number[] = sizeA === sizeB ? [] : [Math.min(sizeA, sizeB)];
    for (let offset = 0; offset < Math.min(sizeA, sizeB) && differing.length < 10; offset += windowBytes) {
      signal.throwIfAborted();
      differing.push(...(await compareWindow(a, b, offset)));
    }
    return { sizeBytes: sizeA, differingOffsets: differing.slice(0, 10) };
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

async function compareWindow(a: FileHandle, b: FileHandle, offset: number): Promise<number[]> {
  const [left, right] = await Promise.all([readAt(a, offset), readAt(b, offset)]);
  if (left.equals(right)) return [];
  const differing: number[] = [];
  for (let at = 0; at < left.length; at += blockBytes) {
    if (!left.subarray(at, at + blockBytes).equals(right.subarray(at, at + blockBytes)))
      differing.push(offset + at);
  }
  return differing;
}

async function readAt(file: FileHandle, position: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(windowBytes);
  const { bytesRead } = await file.read(buffer, 0, windowBytes, position);
  return buffer.subarray(0, bytesRead);
}
