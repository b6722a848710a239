import type { FileHandle } from "node:fs/promises";

interface WaitingWrite {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const maxGathered = 32;

/**
 * Writes to one file, one call at a time; what has piled up meanwhile and lies side by side goes out together. Several
 * calls at once would only spin on the file's lock: the kernel lets one of them write.
 */
export class GatheringWriter {
  readonly #file: FileHandle;
  readonly #waiting: WaitingWrite[] = [];
  #isWriting = false;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Resolves when all of `bytes`, which are only lent, are written. */
  write(bytes: Uint8Array, offset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, offset, resolve, reject });
      if (!this.#isWriting) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const run = this.#takeRun();
      try {
        await this.#writeRun(run);
        for (const each of run) each.resolve();
      } catch (error) {
        for (const each of run) each.reject(error);
      }
    }
    this.#isWriting = false;
  }

  #takeRun(): readonly WaitingWrite[] {
    const run = [this.#waiting.shift()!];
    for (let last = run[0]!; run.length < maxGathered;) {
      const next = this.#waiting[0];
      if (next === undefined || next.offset !== last.offset + last.bytes.length) break;
      run.push(this.#waiting.shift()!);
      last = next;
    }
    return run;
  }

  async #writeRun(run: readonly WaitingWrite[]): Promise<void> {
    let rest = run.map((each) => each.bytes);
    for (let offset = run[0]!.offset; rest.length > 0;) {
      const { bytesWritten } = await this.#file.writev(rest, offset);
      offset += bytesWritten;
      rest = withoutStart(rest, bytesWritten);
    }
  }
}

function withoutStart(parts: readonly Uint8Array[], length: number): Uint8Array[] {
  let skipped = length;
  return parts.flatMap((part) => {
    const start = Math.min(part.length, skipped);
    skipped -= start;
    return start === part.length ? [] : [part.subarray(start)];
  });
}
