import { open, unlink, type FileHandle } from "node:fs/promises";
import { GarrisonError } from "@garrison/core/garrison-error";
import { GiB } from "@garrison/core/units";
import type { BlockExport, ExportCall } from "./block-export.ts";

export interface OverlayOptions {
  /** A file that doesn't exist yet: it is made and its name removed at once, so that nothing of it outlives the process. */
  readonly path: string;
  /** What may be written at most; default 4 GiB. */
  readonly limitBytes?: number;
}

const pageBytes = 4096;
const defaultLimitBytes = 4 * GiB;

/**
 * Makes a disk writable without writing it: what is written goes to a throw-away file and is read from there. This is
 * what a file system needs to replay its journal. Throws `export-full` beyond its limit.
 */
export async function openOverlayExport(base: BlockExport, options: OverlayOptions): Promise<BlockExport> {
  const file = await open(options.path, "wx+", 0o600);
  await unlink(options.path);
  const overlay = new Overlay(base, file, options.limitBytes ?? defaultLimitBytes);
  return {
    sizeBytes: base.sizeBytes,
    isWritable: true,
    read: (offset, length, call) => overlay.read(offset, length, call),
    write: (offset, bytes, call) => overlay.write(offset, bytes, call),
    async close() {
      await file.close();
      await base.close();
    },
  };
}

class Overlay {
  readonly #base: BlockExport;
  readonly #file: FileHandle;
  readonly #maxPages: number;
  /** Which page of the disk lies where in the file. */
  readonly #pages = new Map<number, number>();
  /** Writes wait for each other: two parts of one page must not both start from the old one. */
  #tail: Promise<void> = Promise.resolve();

  constructor(base: BlockExport, file: FileHandle, limitBytes: number) {
    this.#base = base;
    this.#file = file;
    this.#maxPages = Math.floor(limitBytes / pageBytes);
  }

  async read(offset: number, length: number, call: ExportCall): Promise<Uint8Array> {
    const changed = this.#changedPages(offset, length);
    const isAllChanged = changed.length * pageBytes >= length + pageBytes;
    const bytes = isAllChanged ? new Uint8Array(length) : await this.#base.read(offset, length, call);
    for (const page of changed) {
      const content = await this.#readPage(this.#pages.get(page)!);
      const start = page * pageBytes - offset;
      const from = Math.max(0, -start);
      bytes.set(content.subarray(from, Math.min(pageBytes, length - start)), Math.max(0, start));
    }
    return bytes;
  }

  write(offset: number, bytes: Uint8Array, call: ExportCall): Promise<void> {
    const written = this.#tail.then(() => this.#writePages(offset, bytes, call));
    this.#tail = written.catch(() => undefined);
    return written;
  }

  #changedPages(offset: number, length: number): readonly number[] {
    const changed: number[] = [];
    for (let page = Math.floor(offset / pageBytes); page * pageBytes < offset + length; page++) {
      if (this.#pages.has(page)) changed.push(page);
    }
    return changed;
  }

  async #readPage(slot: number): Promise<Uint8Array> {
    const content = new Uint8Array(pageBytes);
    await this.#file.read(content, 0, pageBytes, slot * pageBytes);
    return content;
  }

  async #writePages(offset: number, bytes: Uint8Array, call: ExportCall): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const page = Math.floor((offset + done) / pageBytes);
      const within = offset + done - page * pageBytes;
      const part = bytes.subarray(done, done + pageBytes - within);
      await this.#writePage(page, { within, part }, call);
      done += part.length;
    }
  }

  async #writePage(
    page: number,
    { within, part }: { readonly within: number; readonly part: Uint8Array },
    call: ExportCall,
  ): Promise<void> {
    const slot = this.#pages.get(page) ?? this.#pages.size;
    if (slot >= this.#maxPages) {
      throw new GarrisonError("export-full", `more than ${this.#maxPages * pageBytes} bytes were written`);
    }
    const content = part.length === pageBytes ? part : await this.#currentPage(page, call);
    if (content !== part) content.set(part, within);
    await this.#file.write(content, 0, pageBytes, slot * pageBytes);
    this.#pages.set(page, slot);
  }

  /** The page as it is now, with zeros behind the disk's end. */
  async #currentPage(page: number, call: ExportCall): Promise<Uint8Array> {
    const slot = this.#pages.get(page);
    if (slot !== undefined) return this.#readPage(slot);
    const content = new Uint8Array(pageBytes);
    const length = Math.min(pageBytes, this.#base.sizeBytes - page * pageBytes);
    content.set(await this.#base.read(page * pageBytes, length, call));
    return content;
  }
}
