import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { MiB } from "@garrison/core/units";

/** Path (from the tree's root) -> one line that says all that a restore has to keep: kind, mode, owner, time, content. */
export type TreeDigest = ReadonlyMap<string, string>;

/**
 * Reads every file, several at a time. Times are compared to the second: user-space readers keep no more. Without
 * metadata only names, links and contents count.
 */
export async function digestFileTree(
  root: string,
  options: { readonly signal: AbortSignal; readonly withMetadata: boolean },
): Promise<TreeDigest> {
  const { signal } = options;
  const digest = new Map<string, string>();
  const lines = mapConcurrent(listPaths(root, ""), { concurrency: 16, signal }, async (path) => {
    return [path, await digestEntry(join(root, path), options)] as const;
  });
  for await (const [path, line] of lines) digest.set(path, line);
  return digest;
}

async function* listPaths(root: string, folder: string): AsyncGenerator<string> {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* listPaths(root, path);
  }
}

async function digestEntry(
  path: string,
  options: { readonly signal: AbortSignal; readonly withMetadata: boolean },
): Promise<string> {
  const stat = await lstat(path);
  const owner = options.withMetadata ? `${stat.mode.toString(8)} ${stat.uid}:${stat.gid}` : "";
  // A link's time is left out: user-space readers set that of the moment.
  if (stat.isSymbolicLink()) return `link ${owner} ${await readlink(path)}`;
  const common = options.withMetadata ? `${owner} ${Math.floor(stat.mtimeMs / 1000)}` : "";
  if (!stat.isFile()) return `folder ${common}`;
  return `file ${common} ${stat.size} ${await digestFile(path, stat.size, options.signal)}`;
}

async function digestFile(path: string, sizeBytes: number, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  if (sizeBytes <= MiB) hash.update(await readFile(path, { signal }));
  else await pipeline(createReadStream(path, { highWaterMark: MiB }), hash, { signal });
  return hash.digest("hex");
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
