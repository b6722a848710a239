import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { throwIfAborted } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { MiB } from "@garrison/core/units";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { blockSizeBytes, type BlockReference, type BlockSource } from "./block-source.ts";
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
/** Steps that are read ahead of the one that is looked through: holes are then read by more than one core. */
const scansAhead = 3;
const zeroBlock = Buffer.alloc(blockSizeBytes);

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

function openFullSource(image: ImageFile): SourceWithoutIdentity {
  const scanner = openScanner(image);
  return {
    sizeBytes: image.sizeBytes,
    coverage: "full",
    list: (call) => scanner.list(call),
    locate: locateBlocks,
    async read(reference, into, call) {
      throwIfAborted(call.signal);
      if (!scanner.take(reference.index, into)) await readBlock(image, reference.index, into);
      return {};
    },
    close: () => image.file.close(),
  };
}

/** A file is read by position alone. */
async function* locateBlocks(blocks: Iterable<number>): AsyncGenerator<BlockReference> {
  for (const index of blocks) yield { index };
}

function readBlock(image: ImageFile, index: number, into: Uint8Array): Promise<void> {
  const target = Buffer.from(into.buffer, into.byteOffset, blockSizeBytes);
  return readFully(image, target, index * blockSizeBytes);
}

/** One large read; its memory is used again once no block of it is wanted any more. */
interface ScanStep {
  readonly firstBlock: number;
  readonly bytes: Buffer;
}

interface Scanner {
  list(call: { readonly signal: AbortSignal; readonly fromBlock?: number }): AsyncGenerator<BlockReference>;
  /** Copies a block that the scan came by lately; false when its memory has been used again. */
  take(index: number, into: Uint8Array): boolean;
}

/** Looks for blocks that are not zero in large reads, some ahead, and keeps what it read for a while. */
function openScanner(image: ImageFile): Scanner {
  // Enough for all blocks that a backup has listed and not yet asked for; older ones are read again.
  const keptSteps = 6;
  const kept: ScanStep[] = [];
  const free: Buffer[] = [];

  async function readStep(firstBlock: number): Promise<ScanStep> {
    const bytes = free.pop() ?? Buffer.allocUnsafeSlow(scanBytes);
    await readFully(image, bytes, firstBlock * blockSizeBytes);
    return { firstBlock, bytes };
  }

  function keep(step: ScanStep): void {
    kept.push(step);
    if (kept.length > keptSteps) free.push(kept.shift()!.bytes);
  }

  async function* list(call: { readonly signal: AbortSignal; readonly fromBlock?: number }) {
    const blocks = Math.ceil(image.sizeBytes / blockSizeBytes);
    const options = { concurrency: scansAhead, signal: call.signal };
    for await (const step of mapConcurrent(stepStarts(call.fromBlock ?? 0, blocks), options, readStep)) {
      const found = nonZeroBlocks(step, blocks);
      if (found.length === 0) free.push(step.bytes);
      else keep(step);
      for (const index of found) yield { index };
    }
  }

  function take(index: number, into: Uint8Array): boolean {
    const step = kept.find((each) => index >= each.firstBlock && index < each.firstBlock + scanBlocks);
    if (step === undefined) return false;
    step.bytes.copy(
      into,
      0,
      (index - step.firstBlock) * blockSizeBytes,
      (index - step.firstBlock + 1) * blockSizeBytes,
    );
    return true;
  }
  return { list, take };
}

function* stepStarts(fromBlock: number, blocks: number): Generator<number> {
  for (let first = fromBlock; first < blocks; first += scanBlocks) yield first;
}

function nonZeroBlocks(step: ScanStep, blocks: number): readonly number[] {
  const found: number[] = [];
  for (let index = step.firstBlock; index < Math.min(blocks, step.firstBlock + scanBlocks); index++) {
    const start = (index - step.firstBlock) * blockSizeBytes;
    if (zeroBlock.compare(step.bytes, start, start + blockSizeBytes) !== 0) found.push(index);
  }
  return found;
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
    locate: locateBlocks,
    async read(reference, into, call) {
      throwIfAborted(call.signal);
      await readBlock(image, reference.index, into);
      return {};
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
