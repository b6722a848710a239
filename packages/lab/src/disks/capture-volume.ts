import { mapConcurrent } from "@garrison/core/map-concurrent";
import { open, stat, type FileHandle } from "node:fs/promises";
import type { BlockPacks } from "./block-packs.ts";
import { blockBytes, isZeroBlock } from "./disk-blocks.ts";
import { listDataBlocks } from "./list-data-blocks.ts";
import type { IndexedBlock } from "./snapshot-index.ts";

const readsUnderWay = 4;

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
  const file = await open(volume.path, "r");
  try {
    const entries: IndexedBlock[] = [];
    const hashed = mapConcurrent(blocks, { concurrency: readsUnderWay, signal }, (block) =>
      hashBlock(file, block),
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

async function hashBlock(file: FileHandle, block: number): Promise<HashedBlock | undefined> {
  const bytes = Buffer.allocUnsafeSlow(blockBytes);
  const { bytesRead } = await file.read(bytes, 0, blockBytes, block * blockBytes);
  bytes.fill(0, bytesRead);
  if (isZeroBlock(bytes)) return undefined;
  // The web API hashes on another thread, so that other calls are answered meanwhile.
  return { block, bytes, digest: new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) };
}
