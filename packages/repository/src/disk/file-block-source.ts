import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { MiB } from "@garrison/core/units";
import { freeMemory } from "../blocks/free-memory.ts";
import { blockSizeBytes, type BlockReference, type BlockSource, type SourceBlock } from "./block-source.ts";
import { readDeviceSize } from "./read-device-size.ts";

export interface ChangedRange {
  readonly offset: number;
  readonly length: number;
}

export interface FileSourceOptions {
  /** A raw image file or a block device. It must not change while it is read. */
  readonly path: string;
  /** Only these ranges differ from the parent restore point; nothing else is read. */
  readonly changed?: readonly ChangedRange[];
}

const scanBytes = 4 * MiB;
const scanBlocks = scanBytes / blockSizeBytes;
const keptBlocks = 32;
const zeroScan = Buffer.alloc(scanBytes);
const zeroBlock = zeroScan.subarray(0, blockSizeBytes);

/** Opens an image as a source. A full read looks for data in large steps and lists only blocks that are not zero. */
export async function openFileBlockSource(options: FileSourceOptions): Promise<BlockSource> {
  const { path, changed } = options;
  const file = await open(path, constants.O_RDONLY).catch((cause: unknown) => {
    throw new GarrisonError("source-unreadable", `${path} can't be opened`, { cause });
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile() && !facts.isBlockDevice()) {
      throw new GarrisonError("source-unreadable", `${path} is neither a file nor a block device`);
    }
    const sizeBytes = facts.isBlockDevice() ? await readDeviceSize(file) : facts.size;
    const identity = `file:${path}:${sizeBytes}:${Math.floor(facts.mtimeMs)}`;
    const image = { file, path, sizeBytes };
    if (changed === undefined) return { ...openFullSource(image), identity };
    return { ...openChangedSource(image, changed), identity };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface ImageFile {
  readonly file: FileHandle;
  readonly path: string;
  readonly sizeBytes: number;
}

type SourceWithoutIdentity = Omit<BlockSource, "identity">;

async function readFully(image: ImageFile, target: Buffer, offset: number): Promise<void> {
  const wanted = Math.min(target.length, image.sizeBytes - offset);
  let filled = 0;
  while (filled < wanted) {
    const { bytesRead } = await image.file
      .read(target, filled, wanted - filled, offset + filled)
      .catch((cause: unknown) => {
        throw new GarrisonError("source-unreadable", `${image.path} can't be read at byte ${offset}`, {
          cause,
        });
      });
    if (bytesRead === 0) {
      throw new GarrisonError(
        "source-unreadable",
        `${image.path} became shorter than byte ${offset + wanted}`,
      );
    }
    filled += bytesRead;
  }
  target.fill(0, wanted);
}

async function readBlock(image: ImageFile, index: number): Promise<SourceBlock> {
  const bytes = Buffer.allocUnsafeSlow(blockSizeBytes);
  await readFully(image, bytes, index * blockSizeBytes);
  return { bytes };
}

function openFullSource(image: ImageFile): SourceWithoutIdentity {
  // What the scan has read and the backup has not asked for yet; blocks that it skips fall out at the other end.
  const kept = new Map<number, Buffer>();
  return {
    sizeBytes: image.sizeBytes,
    coverage: "full",
    list: (call) => scan(image, kept, call),
    async read(reference, call) {
      throwIfAborted(call.signal);
      const bytes = kept.get(reference.index);
      kept.delete(reference.index);
      return bytes === undefined ? readBlock(image, reference.index) : { bytes };
    },
    close: () => image.file.close(),
  };
}

async function* scan(
  image: ImageFile,
  kept: Map<number, Buffer>,
  call: { readonly signal: AbortSignal; readonly fromBlock?: number },
): AsyncGenerator<BlockReference> {
  const buffer = Buffer.allocUnsafeSlow(scanBytes);
  const blocks = Math.ceil(image.sizeBytes / blockSizeBytes);
  for (let first = call.fromBlock ?? 0; first < blocks; first += scanBlocks) {
    throwIfAborted(call.signal);
    await readFully(image, buffer, first * blockSizeBytes);
    if (buffer.equals(zeroScan)) continue;
    for (let index = first; index < Math.min(blocks, first + scanBlocks); index++) {
      const bytes = buffer.subarray((index - first) * blockSizeBytes, (index - first + 1) * blockSizeBytes);
      if (bytes.equals(zeroBlock)) continue;
      const copy = Buffer.allocUnsafeSlow(blockSizeBytes);
      bytes.copy(copy);
      kept.set(index, copy);
      if (kept.size > keptBlocks) dropOldest(kept);
      yield { index };
    }
  }
}

function dropOldest(kept: Map<number, Buffer>): void {
  const [index, bytes] = kept.entries().next().value!;
  kept.delete(index);
  freeMemory(bytes);
}

function openChangedSource(image: ImageFile, changed: readonly ChangedRange[]): SourceWithoutIdentity {
  const ranges = changedBlocks(image, changed);
  return {
    sizeBytes: image.sizeBytes,
    coverage: "changes",
    async *list(call) {
      for (const { first, end } of ranges) {
        for (let index = Math.max(first, call.fromBlock ?? 0); index < end; index++) yield { index };
      }
    },
    async read(reference, call) {
      throwIfAborted(call.signal);
      return readBlock(image, reference.index);
    },
    close: () => image.file.close(),
  };
}

/** Runs of blocks that the ranges touch: ascending, without overlap. */
function changedBlocks(
  image: ImageFile,
  changed: readonly ChangedRange[],
): readonly { readonly first: number; readonly end: number }[] {
  const runs: { first: number; end: number }[] = [];
  for (const range of [...changed].sort((left, right) => left.offset - right.offset)) {
    requireInside(image, range);
    if (range.length === 0) continue;
    const first = Math.floor(range.offset / blockSizeBytes);
    const end = Math.ceil((range.offset + range.length) / blockSizeBytes);
    const last = runs.at(-1);
    if (last !== undefined && first <= last.end) last.end = Math.max(last.end, end);
    else runs.push({ first, end });
  }
  return runs;
}

function requireInside(image: ImageFile, range: ChangedRange): void {
  const isWhole = Number.isSafeInteger(range.offset) && Number.isSafeInteger(range.length);
  if (isWhole && range.offset >= 0 && range.length >= 0 && range.offset + range.length <= image.sizeBytes)
    return;
  throw new GarrisonError(
    "source-invalid",
    `the changed range at ${range.offset} of ${range.length} bytes lies outside ${image.path} (${image.sizeBytes} bytes)`,
  );
}
