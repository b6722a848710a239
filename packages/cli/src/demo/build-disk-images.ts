import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { GiB, MiB } from "@garrison/core/units";
import { buildFileTree, writeLogFile } from "./build-file-tree.ts";
import { runProgram } from "./run-program.ts";

export interface DiskImagesPlan {
  readonly folder: string;
  /** Folders of this machine whose files go on the root disk. */
  readonly sources: readonly string[];
  readonly rootFilesBytes: number;
  readonly dataFilesBytes: number;
}

export interface DiskImages {
  /** ext4, on the whole disk. */
  readonly rootFile: string;
  /** Btrfs, on the whole disk. */
  readonly dataFile: string;
}

/**
 * Makes the two disks of `web-1` as sparse files with real file systems, without mounting anything (`mkfs.ext4 -d`,
 * `mkfs.btrfs --rootdir`), so that no root is needed. Kept: a second start with the same plan takes them as they are.
 */
export async function buildDiskImages(plan: DiskImagesPlan, signal: AbortSignal): Promise<DiskImages> {
  const folder = join(plan.folder, `${plan.rootFilesBytes / MiB}-${plan.dataFilesBytes / MiB}`);
  const images = { rootFile: join(folder, "root.ext4"), dataFile: join(folder, "data.btrfs") };
  await mkdir(folder, { recursive: true });
  if (!existsSync(images.rootFile)) await buildRootImage(plan, images.rootFile, signal);
  if (!existsSync(images.dataFile)) await buildDataImage(plan, images.dataFile, signal);
  return images;
}

async function buildRootImage(plan: DiskImagesPlan, file: string, signal: AbortSignal): Promise<void> {
  const tree = `${file}.tree`;
  await rm(tree, { recursive: true, force: true });
  await buildFileTree({ folder: tree, sources: plan.sources, sizeBytes: plan.rootFilesBytes }, signal);
  await makeSparseFile(`${file}.new`, diskSize(plan.rootFilesBytes));
  await runProgram("mkfs.ext4", ["-q", "-F", "-L", "web-1-root", "-d", tree, `${file}.new`], {
    signal,
    timeoutMs: 300_000,
  });
  await rm(tree, { recursive: true, force: true });
  await rename(`${file}.new`, file);
}

async function buildDataImage(plan: DiskImagesPlan, file: string, signal: AbortSignal): Promise<void> {
  const tree = `${file}.tree`;
  await rm(tree, { recursive: true, force: true });
  const filesBytes = 16 * MiB;
  for (let number = 0; number * filesBytes < plan.dataFilesBytes; number++) {
    await writeLogFile(join(tree, "orders", `day-${number}`, "orders.log"), filesBytes);
  }
  await makeSparseFile(`${file}.new`, diskSize(plan.dataFilesBytes));
  await runProgram("mkfs.btrfs", ["-q", "-f", "-L", "web-1-data", "--rootdir", tree, `${file}.new`], {
    signal,
    timeoutMs: 300_000,
  });
  await rm(tree, { recursive: true, force: true });
  await rename(`${file}.new`, file);
}

/** Whole GiB, as EBS has it, with room to write in. */
function diskSize(filesBytes: number): number {
  return Math.ceil((filesBytes * 1.5) / GiB + 0.5) * GiB;
}

async function makeSparseFile(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.truncate(sizeBytes);
  } finally {
    await file.close();
  }
}
