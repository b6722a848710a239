import { blockSizeBytes } from "../disk/block-source.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { idBytes, type Codec } from "./format-limits.ts";

/** Where a sealed item is, for life. */
export interface ItemAddress {
  readonly id: Uint8Array;
  readonly session: string;
  readonly lane: string;
  readonly pack: number;
  readonly offset: number;
  /** Stored length: running number, sealed bytes and tag. */
  readonly length: number;
}

export interface ChunkAddress extends ItemAddress {
  readonly codec: Codec;
  /** Length of a stream's chunk when it is open; absent: a whole block. */
  readonly plainBytes?: number;
}

/** The address of a chunk of this length: a whole block says nothing of it. */
export function withPlainBytes(chunk: ChunkAddress, plainBytes: number): ChunkAddress {
  return plainBytes === blockSizeBytes ? chunk : { ...chunk, plainBytes };
}

export function plainBytesOf(chunk: Pick<ChunkAddress, "plainBytes">): number {
  return chunk.plainBytes ?? blockSizeBytes;
}

/** A child page: `count` is the stored blocks of a leaf, the children of an interior page. */
export interface PageReference extends ItemAddress {
  readonly count: number;
  /** Bytes of the stream below it; in maps of streams only, and not in marks. */
  readonly plainBytes?: number;
}

/** 58 bytes: used where an address stands alone (marks). */
export function writePageReference(writer: ByteWriter, reference: PageReference): void {
  writer
    .bytes(reference.id)
    .hex(reference.session)
    .hex(reference.lane)
    .u32(reference.pack)
    .u32(reference.offset)
    .u32(reference.length)
    .u16(reference.count);
}

export function readPageReference(reader: ByteReader): PageReference {
  return {
    id: new Uint8Array(reader.bytes(idBytes)),
    session: reader.hex(8),
    lane: reader.hex(4),
    pack: reader.u32(),
    offset: reader.u32(),
    length: reader.u32(),
    count: reader.u16(),
  };
}

/** Whether two items are the same one at the same place. */
export function isSameAddress(left: ItemAddress | undefined, right: ItemAddress | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    left.offset === right.offset &&
    left.pack === right.pack &&
    left.session === right.session &&
    left.lane === right.lane &&
    Buffer.compare(left.id, right.id) === 0
  );
}
