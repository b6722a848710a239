import { forEachConcurrent } from "@garrison/core/map-concurrent";
import { execFile } from "node:child_process";
import { copyFile, mkdir, open, readdir, rename, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { blockBytes, blockCount } from "./disk-blocks.ts";
import { listBlocks } from "./snapshot-index.ts";
import type { SnapshotStore } from "./snapshot-store.ts";

const run = promisify(execFile);
const copiesUnderWay = 4;

/** Volumes as sparse raw files, `volumes/<volume id>.raw`: anything that reads a disk image can read and mount them. */
export class VolumeFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(volumeId: string): string {
    return join(this.#folder, `${volumeId}.raw`);
  }

  async create(volumeId: string, sizeBytes: number): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await (await open(this.path(volumeId), "w")).close();
    await truncate(this.path(volumeId), sizeBytes);
  }

  /** Takes over an image file: moved when `move` is set and it is on the same disk, otherwise copied, holes kept. */
  async import(
    volumeId: string,
    source: { readonly file: string; readonly sizeBytes: number; readonly move?: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const target = this.path(volumeId);
    const moved = source.move === true && (await moveFile(source.file, target));
    if (!moved) await copySparse(source.file, target, signal);
    await truncate(target, source.sizeBytes);
  }

  /** Fills a new volume with a snapshot's blocks. The snapshot may be deleted meanwhile. */
  async restore(
    volume: { readonly volumeId: string; readonly sizeBytes: number; readonly snapshotId: string },
    snapshots: SnapshotStore,
    signal: AbortSignal,
  ): Promise<void> {
    const index = snapshots.index(volume.snapshotId);
    for (const pack of index.packs) snapshots.packs.pin(pack, volume.volumeId);
    try {
      await this.create(volume.volumeId, volume.sizeBytes);
      const file = await open(this.path(volume.volumeId), "r+");
      const count = blockCount(volume.sizeBytes);
      const buffers = Array.from({ length: copiesUnderWay }, () => Buffer.allocUnsafeSlow(blockBytes));
      try {
        await forEachConcurrent(listBlocks(index), { concurrency: copiesUnderWay, signal }, async (entry) => {
          if (entry.place.pack === "" || entry.block >= count) return;
          const buffer = buffers.pop()!;
          await snapshots.packs.read(entry.place, buffer);
          await file.write(buffer, 0, blockBytes, entry.block * blockBytes);
          buffers.push(buffer);
        });
      } finally {
        await file.close();
      }
    } finally {
      await snapshots.packs.release(volume.volumeId);
    }
  }

  async ids(): Promise<string[]> {
    await mkdir(this.#folder, { recursive: true });
    return (await readdir(this.#folder)).map((name) => name.replace(/\.raw$/, ""));
  }

  async delete(volumeId: string): Promise<void> {
    await rm(this.path(volumeId), { force: true });
  }
}

async function moveFile(from: string, to: string): Promise<boolean> {
  return await rename(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EXDEV") return false;
      throw error;
    },
  );
}

async function copySparse(from: string, to: string, signal: AbortSignal): Promise<void> {
  try {
    await run("cp", ["--reflink=auto", "--sparse=always", "--", from, to], { signal });
  } catch (error) {
    // A `cp` without these options; the copy is the same, only larger.
    if ((error as { code?: unknown }).code !== 1 && (error as { code?: unknown }).code !== "ENOENT")
      throw error;
    await copyFile(from, to);
  }
}
