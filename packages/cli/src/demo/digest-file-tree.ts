import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** Path (from the tree's root) -> one line that says all that a restore has to keep: kind, mode, owner, time, content. */
export type TreeDigest = ReadonlyMap<string, string>;

/** Reads every file. Times are compared to the second, since user-space readers keep no more. */
export async function digestFileTree(root: string, signal: AbortSignal): Promise<TreeDigest> {
  const digest = new Map<string, string>();
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const names = await readdir(join(root, folder));
    for (const name of names.sort()) {
      const path = join(folder, name);
      const entry = await digestEntry(join(root, path), signal);
      digest.set(path, entry.line);
      if (entry.isFolder) pending.push(path);
    }
  }
  return digest;
}

async function digestEntry(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly line: string; readonly isFolder: boolean }> {
  const stat = await lstat(path);
  const common = `${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${Math.floor(stat.mtimeMs / 1000)}`;
  if (stat.isSymbolicLink()) return { line: `link ${common} ${await readlink(path)}`, isFolder: false };
  if (!stat.isFile()) return { line: `folder ${common}`, isFolder: stat.isDirectory() };
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal });
  return { line: `file ${common} ${stat.size} ${hash.digest("hex")}`, isFolder: false };
}

/** Paths that differ, at most `limit`, each with what is different. */
export function compareTrees(expected: TreeDigest, actual: TreeDigest, limit = 10): readonly string[] {
  const differences: string[] = [];
  for (const path of new Set([...expected.keys(), ...actual.keys()])) {
    if (expected.get(path) === actual.get(path)) continue;
    differences.push(`${path}: ${expected.get(path) ?? "absent"} -> ${actual.get(path) ?? "absent"}`);
    if (differences.length >= limit) break;
  }
  return differences;
}
