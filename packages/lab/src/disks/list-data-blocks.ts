import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { stat } from "node:fs/promises";
import { blockBytes, blockCount } from "./disk-blocks.ts";

const run = promisify(execFile);

/** `   0:        0..    1023:      34816..     35839:   1024:             last,unwritten,eof` */
const extentLine = /^\s*\d+:\s+(\d+)\.\.\s*(\d+):\s+\S+\s+\S+\s+(\d+):(.*)$/;

/**
 * Numbers of the blocks of a file that may hold anything but zeros, ascending. Holes of a sparse file are skipped where
 * the kernel's extent map can be had (Node has no SEEK_HOLE, so e2fsprogs' `filefrag` reads it); elsewhere all blocks
 * are named and the reader finds the zeros itself.
 */
export async function listDataBlocks(
  file: { readonly path: string; readonly sizeBytes: number },
  signal: AbortSignal,
): Promise<number[]> {
  const count = blockCount(file.sizeBytes);
  const extents = await readExtents(file.path, signal);
  if (extents === undefined) return Array.from({ length: count }, (_, index) => index);
  const blocks: number[] = [];
  for (const { startBytes, endBytes } of extents) {
    const last = Math.min(count - 1, Math.floor((endBytes - 1) / blockBytes));
    const first = Math.max(Math.floor(startBytes / blockBytes), (blocks.at(-1) ?? -1) + 1);
    for (let block = first; block <= last; block++) blocks.push(block);
  }
  return blocks;
}

interface Extent {
  readonly startBytes: number;
  readonly endBytes: number;
}

async function readExtents(path: string, signal: AbortSignal): Promise<Extent[] | undefined> {
  const output = await run("filefrag", ["-s", "-v", "-b1024", path], {
    signal,
    maxBuffer: 256 * 1024 * 1024,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    return void error;
  });
  if (output === undefined) return undefined;
  const extents: Extent[] = [];
  for (const line of output.stdout.split("\n")) {
    const match = extentLine.exec(line);
    if (match === null || match[4]!.includes("unwritten")) continue;
    extents.push({ startBytes: Number(match[1]) * 1024, endBytes: (Number(match[2]) + 1) * 1024 });
  }
  // Some file systems answer with an empty map instead of an error.
  if (extents.length === 0 && (await stat(path)).blocks > 0) return undefined;
  return extents.sort((a, b) => a.startBytes - b.startBytes);
}
