import { createHash } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { copyFile, link, lstat, mkdir, open, readdir, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MiB } from "@garrison/core/units";

export interface FileTreePlan {
  readonly folder: string;
  /** Real files are taken from these folders, in order, until `sizeBytes` is reached; the rest is generated. */
  readonly sources: readonly string[];
  readonly sizeBytes: number;
}

export interface FileTreeSummary {
  readonly files: number;
  readonly sizeBytes: number;
}

/**
 * Fills a folder with a tree as a server has it: programs and libraries of this machine (linked, not copied, where the
 * file system allows), logs, a sparse file, an empty one, symbolic links and names that need care.
 */
export async function buildFileTree(plan: FileTreePlan, signal: AbortSignal): Promise<FileTreeSummary> {
  await mkdir(plan.folder, { recursive: true });
  const special = await writeSpecialFiles(plan.folder);
  const taken = { files: special.files, sizeBytes: special.sizeBytes };
  for (const source of plan.sources) {
    for await (const file of regularFiles(source)) {
      signal.throwIfAborted();
      if (taken.sizeBytes + file.sizeBytes > plan.sizeBytes) continue;
      await placeFile(file.path, join(plan.folder, file.path));
      taken.files += 1;
      taken.sizeBytes += file.sizeBytes;
    }
  }
  for (let number = 0; taken.sizeBytes < plan.sizeBytes; number++) {
    const sizeBytes = Math.min(8 * MiB, plan.sizeBytes - taken.sizeBytes);
    await writeLogFile(
      join(plan.folder, "var/log/archive", `app-${String(number).padStart(4, "0")}.log`),
      sizeBytes,
    );
    taken.files += 1;
    taken.sizeBytes += sizeBytes;
  }
  return taken;
}

interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
}

async function* regularFiles(folder: string): AsyncGenerator<FoundFile> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* regularFiles(path);
    else if (entry.isFile()) {
      const { size } = await lstat(path);
      yield { path, sizeBytes: size };
    }
  }
}

async function placeFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_FICLONE).catch(() => undefined));
}

async function writeSpecialFiles(folder: string): Promise<FileTreeSummary> {
  const at = (...names: string[]) => join(folder, ...names);
  await mkdir(at("etc"), { recursive: true });
  await mkdir(at("srv/umlaute äöü"), { recursive: true });
  await mkdir(at("var/lib/db"), { recursive: true });
  await writeFile(at("etc/hostname"), "web-1\n");
  await writeFile(at("etc/empty"), "");
  await writeFile(at("srv/umlaute äöü/datei mit leerzeichen.txt"), "grüße\n");
  await writeFile(at("etc/secret"), "only the owner reads this\n", { mode: 0o600 });
  await symlink("hostname", at("etc/name-of-host"));
  await symlink("/nowhere/at/all", at("etc/dangling"));
  await writeFile(at("var/lib/db/sparse.db"), "page one");
  await truncate(at("var/lib/db/sparse.db"), 64 * MiB);
  return { files: 7, sizeBytes: 64 };
}

/** Log lines that differ enough not to deduplicate and repeat enough to compress like real ones. */
export async function writeLogFile(path: string, sizeBytes: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "w");
  try {
    for (let written = 0, part = 0; written < sizeBytes; part++) {
      const lines = logLines(`${path}/${part}`).subarray(0, sizeBytes - written);
      await file.write(lines);
      written += lines.length;
    }
  } finally {
    await file.close();
  }
}

function logLines(seed: string): Buffer {
  const digest = createHash("sha512").update(seed).digest("hex");
  const lines = Array.from({ length: 512 }, (_, line) => {
    const id = digest.slice((line * 7) % 96, ((line * 7) % 96) + 24);
    return `2026-11-23T10:${String(line % 60).padStart(2, "0")}:00Z web-1 app[${line}]: GET /orders/${id}${seed.length} 200 ${line * 37} bytes\n`;
  });
  return Buffer.from(lines.join(""));
}
