import { blockBytes } from "./disk-blocks.ts";

const digestBytes = 32;
const headerLengthBytes = 8;

/** Where a block's bytes are: slot of a pack file. The empty pack name stands for zeros, which are kept nowhere. */
export interface BlockPlace {
  readonly pack: string;
  readonly slot: number;
}

export interface IndexedBlock {
  readonly block: number;
  readonly place: BlockPlace;
  readonly digest: Uint8Array;
}

export interface SnapshotHeader {
  readonly snapshotId: string;
  readonly sizeBytes: number;
  /** Snapshots of one lineage can be compared with each other. */
  readonly lineage: string;
}

/** The table of contents of one snapshot: its blocks in ascending order, in flat arrays (44 bytes a block). */
export interface SnapshotIndex extends SnapshotHeader {
  readonly packs: readonly string[];
  readonly blocks: Uint32Array;
  readonly packOf: Uint32Array;
  readonly slotOf: Uint32Array;
  readonly digests: Buffer;
}

/** `entries` must be in ascending order of block, each block once. */
export function buildSnapshotIndex(header: SnapshotHeader, entries: readonly IndexedBlock[]): SnapshotIndex {
  const packs = [...new Set(entries.map((entry) => entry.place.pack))];
  const numberOf = new Map(packs.map((pack, index) => [pack, index]));
  const digests = Buffer.alloc(entries.length * digestBytes);
  for (const [position, entry] of entries.entries()) digests.set(entry.digest, position * digestBytes);
  return {
    ...header,
    packs,
    blocks: Uint32Array.from(entries, (entry) => entry.block),
    packOf: Uint32Array.from(entries, (entry) => numberOf.get(entry.place.pack)!),
    slotOf: Uint32Array.from(entries, (entry) => entry.place.slot),
    digests,
  };
}

export function encodeSnapshotIndex(index: SnapshotIndex): Buffer {
  const { snapshotId, sizeBytes, lineage, packs } = index;
  const header = JSON.stringify({ snapshotId, sizeBytes, lineage, packs, count: index.blocks.length });
  // Padded so that the arrays behind it are aligned.
  const padded = Buffer.from(header.padEnd(Math.ceil(Buffer.byteLength(header) / 8) * 8));
  const length = Buffer.alloc(headerLengthBytes);
  length.writeUInt32LE(padded.length);
  const arrays = [index.blocks, index.packOf, index.slotOf].map((array) =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength),
  );
  return Buffer.concat([length, padded, ...arrays, index.digests]);
}

export function decodeSnapshotIndex(bytes: Uint8Array): SnapshotIndex {
  const buffer = new Uint8Array(bytes).buffer;
  const headerLength = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(
    Buffer.from(buffer, headerLengthBytes, headerLength).toString(),
  ) as SnapshotHeader & {
    readonly packs: string[];
    readonly count: number;
  };
  const { count, ...rest } = header;
  let offset = headerLengthBytes + headerLength;
  const [blocks, packOf, slotOf] = [0, 1, 2].map(() => {
    const array = new Uint32Array(buffer, offset, count);
    offset += count * 4;
    return array;
  });
  return {
    ...rest,
    blocks: blocks!,
    packOf: packOf!,
    slotOf: slotOf!,
    digests: Buffer.from(buffer, offset, count * digestBytes),
  };
}

/** First position whose block is not below `block`; the number of positions when there is none. */
export function seekBlock(index: SnapshotIndex, block: number): number {
  let low = 0;
  let high = index.blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (index.blocks[middle]! < block) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The position of exactly that block. */
export function findBlock(index: SnapshotIndex, block: number): number | undefined {
  const position = seekBlock(index, block);
  return index.blocks[position] === block ? position : undefined;
}

export function blockAt(index: SnapshotIndex, position: number): IndexedBlock {
  return {
    block: index.blocks[position]!,
    place: { pack: index.packs[index.packOf[position]!]!, slot: index.slotOf[position]! },
    digest: digestAt(index, position),
  };
}

export function* listBlocks(index: SnapshotIndex): Generator<IndexedBlock> {
  for (let position = 0; position < index.blocks.length; position++) yield blockAt(index, position);
}

function digestAt(index: SnapshotIndex, position: number): Buffer {
  return index.digests.subarray(position * digestBytes, (position + 1) * digestBytes);
}

export interface ChangedBlock {
  readonly block: number;
  readonly inFirst: boolean;
  readonly inSecond: boolean;
}

/** Blocks from `fromBlock` on that one snapshot has and the other hasn't, or whose contents differ; ascending. */
export function* diffSnapshots(
  first: SnapshotIndex,
  second: SnapshotIndex,
  fromBlock: number,
): Generator<ChangedBlock> {
  let left = seekBlock(first, fromBlock);
  let right = seekBlock(second, fromBlock);
  while (left < first.blocks.length || right < second.blocks.length) {
    const inLeft = first.blocks[left] ?? Infinity;
    const inRight = second.blocks[right] ?? Infinity;
    const block = Math.min(inLeft, inRight);
    const inFirst = inLeft === block;
    const inSecond = inRight === block;
    const same = inFirst && inSecond && digestAt(first, left).equals(digestAt(second, right));
    if (!same) yield { block, inFirst, inSecond };
    if (inFirst) left++;
    if (inSecond) right++;
  }
}

/** What the snapshot's blocks amount to, as FullSnapshotSizeInBytes tells it. */
export function writtenBytes(index: SnapshotIndex): number {
  return index.blocks.length * blockBytes;
}
