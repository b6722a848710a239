import { mapConcurrent } from "@garrison/core/map-concurrent";
import { hash } from "node:crypto";
import { open, stat, type FileHandle } from "node:fs/promises";
import type { BlockPacks } from "./block-packs.ts";
import { blockBytes, isZeroBlock } from "./disk-blocks.ts";
import { listDataBlocks } from "./list-data-blocks.ts";
import type { IndexedBlock } from "./snapshot-index.ts";

const readsUnderWay = 4;
/** One more than can be read and stored at a time: fresh memory for each block costs more than hashing it. */
const buffersInTurn = readsUnderWay + 2;

interface HashedBlock {
  readonly block: number;
  readonly bytes: Buffer;
  readonly digest: Uint8Array;
}

/**
 * Reads a volume's file and keeps every block that isn't all zeros for `owner`; only blocks that no snapshot has yet
 * take up new space. The volume must not be written meanwhile if a crash-consistent result is wanted.
 */
export async function captureVolume(
  packs: BlockPacks,
  volume: { readonly path: string; readonly owner: string },
  signal: AbortSignal,
): Promise<IndexedBlock[]> {
  const sizeBytes = (await stat(volume.path)).size;
  const blocks = await listDataBlocks({ path: volume.path, sizeBytes }, signal);
  const buffers = Array.from({ length: buffersInTurn }, () => Buffer.allocUnsafeSlow(blockBytes));
  const file = await open(volume.path, "r");
  let turn = 0;
  try {
    const entries: IndexedBlock[] = [];
    // Results come in order and are stored before the next block is begun, so a buffer's turn comes when it is free.
    const hashed = mapConcurrent(blocks, { concurrency: readsUnderWay, signal }, (block) =>
      hashBlock(file, block, buffers[turn++ % buffersInTurn]!),
    );
    for await (const found of hashed) {
      if (found === undefined) continue;
      const { block, bytes, digest } = found;
      const place = packs.locate(digest, volume.owner) ?? (await packs.append(volume.owner, bytes, digest));
      entries.push({ block, place, digest });
    }
    return entries;
  } finally {
    await file.close();
  }
}

async function hashBlock(file: FileHandle, block: number, bytes: Buffer): Promise<HashedBlock | undefined> {
  const { bytesRead } = await file.read(bytes, 0, blockBytes, block * blockBytes);
  bytes.fill(0, bytesRead);
  if (isZeroBlock(bytes)) return undefined;
  return { block, bytes, digest: hash("sha256", bytes, "buffer") };
}
