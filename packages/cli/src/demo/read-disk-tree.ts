import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestFileTree, type TreeDigest } from "./digest-file-tree.ts";
import { mountDisk } from "./mounted-disk.ts";
import { canMount, runProgram } from "./run-program.ts";

export interface DiskToRead {
  readonly file: string;
  readonly fileSystem: "ext4" | "btrfs";
}

/**
 * The tree on a disk image: mounted where we are root (the kernel replays the journal into the image, so give it a copy
 * if that matters), otherwise taken out by the file system's own user-space reader.
 */
export async function readDiskTree(disk: DiskToRead, signal: AbortSignal): Promise<TreeDigest> {
  if (canMount()) {
    await using mounted = await mountDisk(disk.file, { readOnly: true, signal });
    return await digestFileTree(mounted.folder, { signal, withMetadata: true });
  }
  const folder = await mkdtemp(join(tmpdir(), "garrison-tree-"));
  try {
    await extract(disk, folder, signal);
    return await digestFileTree(folder, { signal, withMetadata: disk.fileSystem === "ext4" });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function extract(disk: DiskToRead, folder: string, signal: AbortSignal): Promise<void> {
  const call = { signal, timeoutMs: 600_000 };
  if (disk.fileSystem === "ext4") await runProgram("debugfs", ["-R", `rdump / ${folder}`, disk.file], call);
  // Btrfs's reader gives owners and times back only to root; the blocks have been compared, so contents do here.
  else await runProgram("btrfs", ["restore", "-S", disk.file, folder], call);
}
