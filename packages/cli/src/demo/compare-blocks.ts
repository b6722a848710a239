import { open, type FileHandle } from "node:fs/promises";
import { MiB } from "@garrison/core/units";

export interface BlockComparison {
  readonly sizeBytes: number;
  /** Offsets of the first differing 512 KiB blocks, at most 10. */
  readonly differingOffsets: readonly number[];
}

interface ComparedFile {
  readonly file: FileHandle;
  /** Read into again and again: fresh memory for every window costs the kernel ten times what the comparison does. */
  readonly window: Buffer;
}

const windowBytes = MiB;
const blockBytes = MiB / 2;

/** Compares two disk images byte for byte. A shorter one counts as differing from where it ends. */
export async function compareBlocks(
  first: string,
  second: string,
  signal: AbortSignal,
): Promise<BlockComparison> {
  const files = await Promise.all([open(first), open(second)]);
  try {
    const [a, b] = files.map((file) => ({ file, window: Buffer.allocUnsafeSlow(windowBytes) }));
    const [sizeA, sizeB] = [(await a!.file.stat()).size, (await b!.file.stat()).size];
    const differing: number[] = sizeA === sizeB ? [] : [Math.min(sizeA, sizeB)];
    for (let offset = 0; offset < Math.min(sizeA, sizeB) && differing.length < 10; offset += windowBytes) {
      signal.throwIfAborted();
      differing.push(...(await compareWindow(a!, b!, offset)));
    }
    return { sizeBytes: sizeA, differingOffsets: differing.slice(0, 10) };
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

async function compareWindow(a: ComparedFile, b: ComparedFile, offset: number): Promise<number[]> {
  const [left, right] = await Promise.all([readAt(a, offset), readAt(b, offset)]);
  if (left.equals(right)) return [];
  const differing: number[] = [];
  for (let at = 0; at < left.length; at += blockBytes) {
    if (!left.subarray(at, at + blockBytes).equals(right.subarray(at, at + blockBytes)))
      differing.push(offset + at);
  }
  return differing;
}

async function readAt({ file, window }: ComparedFile, position: number): Promise<Buffer> {
  const { bytesRead } = await file.read(window, 0, window.length, position);
  return window.subarray(0, bytesRead);
}
