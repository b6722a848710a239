import { hash } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { blockSizeBytes } from "../disk/block-source.ts";
import type { Codec } from "../format/format-limits.ts";
import { freeMemory } from "./free-memory.ts";
import { chunkId } from "../format/item-identity.ts";
import { openItem } from "../format/pack-container.ts";

/** The CPU work of one block: pure, so that it runs in a thread or in place alike. */
export interface PrepareJob {
  readonly bytes: Uint8Array;
  /** When the source has verified it already. */
  readonly sha256?: Uint8Array | undefined;
  /** The id that the parent has at this place: when it is the same, nothing is compressed. */
  readonly expectedId?: Uint8Array | undefined;
}

export interface PreparedBlock {
  readonly id: Uint8Array;
  /** Absent when the id is the expected one. */
  readonly payload?: Uint8Array;
  readonly codec: Codec;
}

export interface RecoverJob {
  /** Running number, ciphertext and tag as they lie in the pack. */
  readonly stored: Uint8Array;
  readonly itemKey: Uint8Array;
  readonly aad: Uint8Array;
  readonly id: Uint8Array;
  readonly codec: Codec;
}

export type RecoveredBlock =
  | { readonly bytes: Uint8Array; readonly sha256: Uint8Array }
  | { readonly damage: "tag" | "compression" | "length" | "id" };

// Level 1 with a hash table twice as selective: measured to store 3 % less at the same speed.
const compression = {
  chunkSize: blockSizeBytes + 16 * 1024,
  params: {
    [constants.ZSTD_c_compressionLevel]: 1,
    [constants.ZSTD_c_hashLog]: 15,
    [constants.ZSTD_c_minMatch]: 6,
  },
};

export function prepareBlock(idKey: Uint8Array, job: PrepareJob): PreparedBlock {
  const sha256 = job.sha256 ?? hash("sha256", job.bytes, "buffer");
  const id = chunkId(idKey, sha256);
  if (job.expectedId !== undefined && Buffer.compare(id, job.expectedId) === 0) return { id, codec: 0 };
  const compressed = zstdCompressSync(job.bytes, compression);
  return compressed.length < job.bytes.length
    ? { id, payload: compressed, codec: 1 }
    : { id, payload: job.bytes, codec: 0 };
}

export function recoverBlock(idKey: Uint8Array, job: RecoverJob): RecoveredBlock {
  const payload = openItem(job.itemKey, job.aad, job.stored);
  if (payload === undefined) return { damage: "tag" };
  const bytes = job.codec === 0 ? payload : inflate(payload);
  if (bytes !== payload) freeMemory(payload);
  if (bytes === undefined) return { damage: "compression" };
  if (bytes.length !== blockSizeBytes) return { damage: "length" };
  const sha256 = hash("sha256", bytes, "buffer");
  if (Buffer.compare(chunkId(idKey, sha256), job.id) !== 0) return { damage: "id" };
  return { bytes, sha256 };
}

function inflate(payload: Uint8Array): Uint8Array | undefined {
  try {
    return zstdDecompressSync(payload, { chunkSize: blockSizeBytes, maxOutputLength: blockSizeBytes });
  } catch {
    return undefined;
  }
}
