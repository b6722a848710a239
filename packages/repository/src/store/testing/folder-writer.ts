import { createHash } from "node:crypto";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { forEachConcurrent } from "@garrison/core/map-concurrent";
import { openFolderObjectStore } from "../folder-object-store.ts";

/**
 * A program that creates objects in a folder until it is killed, or until `count` are there: for tests. It prints the key
 * of each one after its creation was acknowledged, and the code of an error before it ends.
 */
const sizes = [0, 1, 4096, 70_000, 300_000, 1_500_000];

/** What the object of a key holds. */
export function contentOf(key: string): Uint8Array {
  const digest = createHash("sha256").update(key).digest();
  const bytes = new Uint8Array(sizes[digest[0]! % sizes.length]!);
  for (let offset = 0; offset < bytes.length; offset += 32) {
    bytes.set(digest.subarray(0, Math.min(32, bytes.length - offset)), offset);
  }
  return bytes;
}

async function write(folder: string, prefix: string, count: number): Promise<void> {
  const store = openFolderObjectStore({ folder });
  const call = { signal: new AbortController().signal };
  const keys = Array.from({ length: count }, (_, number) => `${prefix}/${number % 3}/${number}`);
  await forEachConcurrent(keys, { concurrency: 4, ...call }, async (key) => {
    await store.create(key, contentOf(key), call);
    process.stdout.write(`${key}\n`);
  });
}

if (import.meta.main) {
  const [folder = "", prefix = "", count = ""] = process.argv.slice(2);
  try {
    await write(folder, prefix, Number(count));
  } catch (error) {
    process.stdout.write(`${isGarrisonError(error) ? error.code : String(error)}\n`);
  }
}
