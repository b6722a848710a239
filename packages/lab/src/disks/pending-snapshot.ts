import { writeSync } from "node:fs";
import { appendFile, open, readFile, rm, type FileHandle } from "node:fs/promises";
import type { IndexedBlock } from "./snapshot-index.ts";

/**
 * The blocks of a snapshot that is still being written through the direct API. Each accepted block is one line of a
 * log, so that an upload goes on after the lab was killed. The last line for a block counts.
 */
export class PendingSnapshot {
  readonly #path: string;
  readonly #blocks: Map<number, IndexedBlock>;
  #log: Promise<FileHandle> | undefined;

  private constructor(path: string, blocks: Map<number, IndexedBlock>) {
    this.#path = path;
    this.#blocks = blocks;
  }

  static async create(path: string): Promise<PendingSnapshot> {
    await appendFile(path, "");
    return new PendingSnapshot(path, new Map());
  }

  static async recover(path: string): Promise<PendingSnapshot> {
    const blocks = new Map<number, IndexedBlock>();
    const lines = (await readFile(path, "utf8")).split("\n");
    // Empty, or a line that a crash cut short.
    lines.pop();
    for (const line of lines) {
      const [block, slot, digest, pack] = line.split(" ") as [string, string, string, string];
      blocks.set(Number(block), {
        block: Number(block),
        place: { pack, slot: Number(slot) },
        digest: Buffer.from(digest, "hex"),
      });
    }
    return new PendingSnapshot(path, blocks);
  }

  get size(): number {
    return this.#blocks.size;
  }

  async put(entry: IndexedBlock): Promise<void> {
    const { block, place, digest } = entry;
    const log = await (this.#log ??= open(this.#path, "a"));
    // Some bytes at the end of a file: another thread would take longer to hear of it.
    writeSync(log.fd, `${block} ${place.slot} ${Buffer.from(digest).toString("hex")} ${place.pack}\n`);
    this.#blocks.set(block, entry);
  }

  /** What was put so far, in ascending order of block. */
  list(): IndexedBlock[] {
    return [...this.#blocks.values()].sort((a, b) => a.block - b.block);
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }

  async close(): Promise<void> {
    const log = this.#log;
    this.#log = undefined;
    await (await log)?.close();
  }
}
