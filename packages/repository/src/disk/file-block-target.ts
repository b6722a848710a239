import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { MiB } from "@garrison/core/units";
import { blockSizeBytes } from "./block-source.ts";
import type { BlockTarget } from "./block-target.ts";
import { GatheringWriter } from "./gathering-writer.ts";
import { readDeviceSize } from "./read-device-size.ts";

export interface FileTargetOptions {
  readonly path: string;
  /** Size of the volume that is restored. */
  readonly sizeBytes: number;
  /** Keeps what is there and writes only blocks that differ. Otherwise the file must not exist yet. */
  readonly inPlace?: boolean;
}

/** A new sparse file, an existing file in place, or a device. */
export async function openFileBlockTarget(options: FileTargetOptions): Promise<BlockTarget> {
  const { file, isNew } = await openTarget(options);
  try {
    await makeRoom(file, options);
    return new FileBlockTarget({ ...options, file, isNew });
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A file gets the volume's size; a device has to have it, before the first byte is written. */
async function makeRoom(file: FileHandle, { path, sizeBytes }: FileTargetOptions): Promise<void> {
  const isDevice = (await file.stat()).isBlockDevice();
  const deviceBytes = isDevice ? await readDeviceSize(file) : sizeBytes;
  if (deviceBytes < sizeBytes) {
    throw new GarrisonError(
      "target-unwritable",
      `${path} has ${deviceBytes} bytes; the volume needs ${sizeBytes}`,
    );
  }
  if (isDevice) return;
  await file.truncate(sizeBytes).catch((cause: unknown) => {
    throw new GarrisonError("target-unwritable", `${path} can't be made ${sizeBytes} bytes large`, { cause });
  });
}

async function openTarget(
  options: FileTargetOptions,
): Promise<{ readonly file: FileHandle; readonly isNew: boolean }> {
  const { path } = options;
  try {
    if (options.inPlace === true)
      return { file: await open(path, constants.O_RDWR | constants.O_CREAT), isNew: false };
    return { file: await open(path, "wx+"), isNew: true };
  } catch (cause) {
    const exists = cause instanceof Error && (cause as NodeJS.ErrnoException).code === "EEXIST";
    const reason = exists
      ? "exists already; choose another name, or --in-place to write over it"
      : "can't be opened";
    throw new GarrisonError("target-unwritable", `${path} ${reason}`, { cause });
  }
}

/** Written bytes after which flushing begins in the background: at the end the disk has little left to do. */
const flushEveryBytes = 128 * MiB;

class FileBlockTarget implements BlockTarget {
  readonly isZeroFilled: boolean;
  readonly #options: FileTargetOptions & { readonly file: FileHandle };
  readonly #writer: GatheringWriter;
  readonly #digest = createHash("sha256");
  #blocksWritten = 0;
  #bytesWritten = 0;
  #bytesUnflushed = 0;
  #flushing: Promise<void> | undefined;
  #flushFailure: unknown;

  constructor(options: FileTargetOptions & { readonly file: FileHandle; readonly isNew: boolean }) {
    this.#options = options;
    this.#writer = new GatheringWriter(options.file);
    this.isZeroFilled = options.isNew;
  }

  async write(
    block: { readonly index: number; readonly bytes: Uint8Array; readonly sha256: Uint8Array },
    call: { readonly signal: AbortSignal },
  ): Promise<void> {
    throwIfAborted(call.signal);
    this.#digest.update(block.sha256);
    const offset = block.index * blockSizeBytes;
    const bytes = block.bytes.subarray(0, Math.min(blockSizeBytes, this.#options.sizeBytes - offset));
    if (!this.isZeroFilled && (await this.#isThere(bytes, offset))) return;
    await this.#writeFully(bytes, offset);
    this.#blocksWritten++;
    this.#bytesWritten += bytes.length;
    this.#bytesUnflushed += bytes.length;
    if (this.#bytesUnflushed >= flushEveryBytes && this.#flushing === undefined) this.#flushAhead();
  }

  async complete() {
    await this.#flushing;
    try {
      // A failed flush may be reported once only, to whoever asked first.
      if (this.#flushFailure !== undefined) throw this.#flushFailure;
      await this.#options.file.sync();
    } catch (cause) {
      throw new GarrisonError("target-unwritable", `${this.#options.path} could not be flushed`, { cause });
    }
    return {
      blocksWritten: this.#blocksWritten,
      bytesWritten: this.#bytesWritten,
      linearChecksum: this.#digest.digest("base64"),
    };
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#options.file.close();
  }

  #flushAhead(): void {
    this.#bytesUnflushed = 0;
    this.#flushing = this.#options.file
      .datasync()
      .catch((error: unknown) => {
        this.#flushFailure ??= error;
      })
      .then(() => {
        this.#flushing = undefined;
      });
  }

  async #isThere(bytes: Uint8Array, offset: number): Promise<boolean> {
    const present = Buffer.allocUnsafe(bytes.length);
    const { bytesRead } = await this.#options.file.read(present, 0, bytes.length, offset);
    return bytesRead === bytes.length && present.equals(bytes);
  }

  async #writeFully(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      await this.#writer.write(bytes, offset);
    } catch (cause) {
      throw new GarrisonError(
        "target-unwritable",
        `${this.#options.path} can't be written at byte ${offset}`,
        { cause },
      );
    }
  }
}
