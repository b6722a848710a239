import { interiorEntries, leafEntries } from "../format/format-limits.ts";
import { streamBytesBelow } from "../format/interior-page.ts";
import { streamBytesOf } from "../format/leaf-page.ts";
import type { VolumeReader } from "./volume-reader.ts";

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Which bytes of a stream a part of its map stands for. Chunks are numbered by leaf and place in it (512 a leaf), so that
 * numbers are left out where a leaf is not full. Only pages above the part are read, and its own for a chunk.
 */
export async function rangeOfInterior(reader: VolumeReader, slot: number): Promise<ByteRange> {
  const { root } = reader.volume;
  return { offset: streamBytesBelow(root.slice(0, slot)), length: root[slot]?.plainBytes ?? 0 };
}

export async function rangeOfLeaf(reader: VolumeReader, leaf: number): Promise<ByteRange> {
  const slot = Math.floor(leaf / interiorEntries);
  const child = leaf % interiorEntries;
  const page = (await reader.interior(slot)) ?? [];
  const { offset } = await rangeOfInterior(reader, slot);
  return {
    offset: offset + streamBytesBelow(page.slice(0, child)),
    length: page[child]?.plainBytes ?? 0,
  };
}

export async function rangeOfChunk(reader: VolumeReader, block: number): Promise<ByteRange> {
  const number = Math.floor(block / leafEntries);
  const slot = block % leafEntries;
  const leaf = (await reader.leaf(number)) ?? [];
  const { offset } = await rangeOfLeaf(reader, number);
  return {
    offset: offset + streamBytesOf(leaf.slice(0, slot)),
    length: streamBytesOf(leaf.slice(slot, slot + 1)),
  };
}
