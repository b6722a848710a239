import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { arch, availableParallelism, totalmem } from "node:os";
import { delimiter, join } from "node:path";

/** Tools that some task may want; absent ones are no error here. */
const programs = [
  "mount",
  "umount",
  "nbd-client",
  "nbdfuse",
  "ntfs-3g",
  "btrfs",
  "xfs_repair",
  "pg_dump",
  "mount.nfs4",
];

export interface WorkerCapabilities {
  readonly architecture: string;
  readonly processors: number;
  readonly memoryBytes: number;
  /** As the kernel lists them now; loadable ones are not among them. */
  readonly fileSystems: readonly string[];
  readonly hasNbd: boolean;
  readonly hasFuse: boolean;
  readonly isRoot: boolean;
  readonly programs: readonly string[];
}

/** Looks at what this instance can do. Never throws: what can't be found out counts as absent. */
export function probeCapabilities(path: string): WorkerCapabilities {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return {
    architecture: arch(),
    processors: availableParallelism(),
    memoryBytes: totalmem(),
    fileSystems: readFileSystems(),
    hasNbd: existsSync("/dev/nbd0") || existsSync("/sys/module/nbd"),
    hasFuse: existsSync("/dev/fuse"),
    isRoot: process.getuid?.() === 0,
    programs: programs.filter((name) => folders.some((folder) => isExecutable(join(folder, name)))),
  };
}

function readFileSystems(): readonly string[] {
  try {
    const lines = readFileSync("/proc/filesystems", "utf8").split("\n");
    return lines.map((line) => line.split("\t")[1] ?? "").filter((name) => name !== "");
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
