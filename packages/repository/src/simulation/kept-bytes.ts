import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Where a model's store keeps bytes: what it keeps in a file does not count as memory of the process that is measured. */
export interface KeptBytes {
  /** Answers where the bytes are. */
  append(bytes: Uint8Array): number;
  read(at: number, length: number): Uint8Array;
  close(): void;
}

export function keepInMemory(): KeptBytes {
  const kept = new Map<number, Uint8Array>();
  const starts: number[] = [];
  let end = 0;
  return {
    append(bytes) {
      const at = end;
      kept.set(at, new Uint8Array(bytes));
      starts.push(at);
      // A byte between two objects: an empty one has a place of its own, too.
      end += bytes.length + 1;
      return at;
    },
    read(at, length) {
      const start = lastUpTo(starts, at);
      return kept.get(start)!.slice(at - start, at - start + length);
    },
    close: () => undefined,
  };
}

/** In a new file, or behind what is in one. */
export function keepInFile(path: string, end = 0): KeptBytes & { readonly end: () => number } {
  const file = openSync(path, end === 0 ? "w+" : "r+");
  return {
    end: () => end,
    append(bytes) {
      const at = end;
      writeSync(file, bytes, 0, bytes.length, at);
      end += bytes.length;
      return at;
    },
    read(at, length) {
      const bytes = Buffer.allocUnsafeSlow(length);
      readSync(file, bytes, 0, length, at);
      return bytes;
    },
    close: () => closeSync(file),
  };
}

function lastUpTo(starts: readonly number[], at: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return starts[low - 1]!;
}
