import { createHash } from "node:crypto";
import { mkdtemp, mkdir, open, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Random } from "@garrison/core/random";
import { MiB } from "@garrison/core/units";
import { mountDisk, type MountedDisk } from "./mounted-disk.ts";
import { runProgram } from "./run-program.ts";

/** Path on the disk -> SHA-256 of what was fsynced there: exactly this has to be found after a restore. */
export type SyncedFiles = ReadonlyMap<string, string>;

/** A disk that stays mounted and half-written until it is closed, as a running server's is when a snapshot is taken. */
export interface ChangedDisk extends AsyncDisposable {
  readonly synced: SyncedFiles;
  /** False when nothing can be mounted here: the disk then holds no open journal. */
  readonly isMounted: boolean;
}

const newFiles = 3;
const newFileBytes = 4 * MiB;

/**
 * Writes on the disk while it is mounted: new files, one changed in place, one deleted; some fsynced, some left in the
 * page cache. The file system's journal is open until the result is closed.
 */
export async function changeMountedDisk(
  image: string,
  random: Random,
  signal: AbortSignal,
): Promise<ChangedDisk> {
  const disk = await mountDisk(image, { readOnly: false, signal });
  try {
    const synced = await writeFiles(disk, random);
    return { synced, isMounted: true, [Symbol.asyncDispose]: () => disk[Symbol.asyncDispose]() };
  } catch (error) {
    await disk[Symbol.asyncDispose]();
    throw error;
  }
}

async function writeFiles(disk: MountedDisk, random: Random): Promise<SyncedFiles> {
  const folder = join(disk.folder, "srv", "incoming");
  await mkdir(folder, { recursive: true });
  for (const name of (await readdir(folder)).slice(0, 1)) await rm(join(folder, name));
  const synced = new Map<string, string>();
  for (let number = 0; number < newFiles; number++) {
    const bytes = Buffer.from(random.bytes(newFileBytes));
    const name = `upload-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}.bin`;
    await writeSynced(join(folder, name), bytes);
    synced.set(join("srv", "incoming", name), createHash("sha256").update(bytes).digest("hex"));
  }
  await writeFile(join(folder, "still-in-the-page-cache.bin"), random.bytes(MiB));
  return synced;
}

async function writeSynced(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The same for an ext4 disk where nothing can be mounted: `debugfs` writes into the unmounted file system. */
export async function changeUnmountedExt4(
  image: string,
  random: Random,
  signal: AbortSignal,
): Promise<ChangedDisk> {
  const folder = await mkdtemp(join(tmpdir(), "garrison-change-"));
  try {
    const synced = new Map<string, string>();
    const commands: string[] = [];
    for (let number = 0; number < newFiles; number++) {
      const bytes = random.bytes(newFileBytes);
      const name = `upload-${createHash("sha256").update(bytes).digest("hex").slice(0, 12)}.bin`;
      await writeFile(join(folder, name), bytes);
      commands.push(`write ${join(folder, name)} ${name}`);
      synced.set(name, createHash("sha256").update(bytes).digest("hex"));
    }
    await writeFile(join(folder, "commands"), `${commands.join("\n")}\n`);
    await runProgram("debugfs", ["-w", "-f", join(folder, "commands"), image], { signal });
    return { synced, isMounted: false, [Symbol.asyncDispose]: async () => undefined };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
