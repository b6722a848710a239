import { hash } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { blockSizeBytes } from "../disk/block-source.ts";
import type { Codec } from "../format/format-limits.ts";
import { chunkId } from "../format/item-identity.ts";
import { openItem } from "../format/pack-container.ts";
import { IdTable } from "../similarity/id-table.ts";
import { packedSlackBytes, type BlockSlot } from "./block-slot.ts";
import { freeBuffer, freeMemory } from "./free-memory.ts";

/** The CPU work of one block: pure but for the slot, so that it runs in a thread or in place alike. */
export interface PrepareJob {
  /** How much of the slot's plain side is the block. */
  readonly plainBytes: number;
  /** When the source has verified it already. */
  readonly sha256?: Uint8Array | undefined;
  /** The id that the parent has at this place: when it is the same, nothing is compressed. */
  readonly expectedId?: Uint8Array | undefined;
  /** Memory of tables (`IdTable`) of ids that may be stored elsewhere: with one of them, nothing is compressed either. */
  readonly known?: readonly SharedArrayBuffer[] | undefined;
}

export interface PreparedBlock {
  readonly id: Uint8Array;
  /** Nothing when the id is the expected one, or may be known. */
  readonly payload?: {
    /** 1: it lies in the slot's packed side. 0: in its plain side. */
    readonly codec: Codec;
    readonly sizeBytes: number;
  };
}

export interface RecoverJob {
  /** How much of the slot's packed side is the item: running number, ciphertext and tag as they lie in the pack. */
  readonly sealedBytes: number;
  readonly plainBytes: number;
  readonly itemKey: Uint8Array;
  readonly aad: Uint8Array;
  readonly id: Uint8Array;
  readonly codec: Codec;
}

/** The slot's plain side holds the block when there is no damage. */
export type RecoveredBlock =
  | { readonly sha256: Uint8Array }
  | { readonly damage: "tag" | "compression" | "length" | "id" };

/**
 * Level 1 with a longer match: stores as much as level 1 alone, faster (docs/decisions/engine-where-the-time-goes.md). What
 * is larger than a block is of a stream, most often text: a table twice as large stores 7 % less of it for a seventh of
 * the time (docs/decisions/engine-streams.md).
 */
const parametersFor = (plainBytes: number) => ({
  [constants.ZSTD_c_compressionLevel]: 1,
  [constants.ZSTD_c_hashLog]: plainBytes > blockSizeBytes ? 15 : 14,
  [constants.ZSTD_c_minMatch]: 6,
});

export function prepareBlock(idKey: Uint8Array, slot: BlockSlot, job: PrepareJob): PreparedBlock {
  const plain = slot.plain.subarray(0, job.plainBytes);
  const sha256 = job.sha256 ?? hash("sha256", plain, "buffer");
  const id = chunkId(idKey, sha256);
  if (job.expectedId !== undefined && Buffer.compare(id, job.expectedId) === 0) {
    return { id };
  }
  if (job.known?.some((memory) => new IdTable(memory).has(id)) === true) return { id };
  // A result buffer of at least the block: in small pieces it costs a fifth more.
  const chunkSize = plain.length + packedSlackBytes;
  const packed = zstdCompressSync(plain, { chunkSize, params: parametersFor(plain.length) });
  const sizeBytes = packed.length;
  if (sizeBytes >= plain.length) return { id, payload: { codec: 0, sizeBytes: plain.length } };
  slot.packed.set(packed);
  freeBuffer(packed);
  return { id, payload: { codec: 1, sizeBytes } };
}

export function recoverBlock(idKey: Uint8Array, slot: BlockSlot, job: RecoverJob): RecoveredBlock {
  const payload = openItem(job.itemKey, job.aad, slot.packed.subarray(0, job.sealedBytes));
  if (payload === undefined) return { damage: "tag" };
  const bytes = job.codec === 0 ? payload : inflate(payload, job.plainBytes);
  if (bytes === undefined) return { damage: "compression" };
  if (bytes.length !== job.plainBytes) return { damage: "length" };
  slot.plain.set(bytes);
  if (bytes !== payload) freeMemory(payload);
  freeBuffer(bytes);
  const sha256 = hash("sha256", slot.plain.subarray(0, job.plainBytes), "buffer");
  return Buffer.compare(chunkId(idKey, sha256), job.id) === 0 ? { sha256 } : { damage: "id" };
}

function inflate(payload: Uint8Array, plainBytes: number): Uint8Array | undefined {
  try {
    // A result buffer has at least 64 bytes; the length is compared afterwards.
    const chunkSize = Math.max(plainBytes, 64);
    return zstdDecompressSync(payload, { chunkSize, maxOutputLength: plainBytes });
  } catch {
    return undefined;
  }
}
