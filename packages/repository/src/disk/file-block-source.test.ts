import { mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blockSizeBytes } from "./block-source.ts";
import { openFileBlockSource, type ChangedRange } from "./file-block-source.ts";
import { openFileBlockTarget } from "./file-block-target.ts";

const call = { signal: new AbortController().signal };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-image-"));
});
afterAll(() => rm(folder, { recursive: true }));

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

async function image(name: string, blocks: number, tailBytes = 0): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, "w");
  await file.truncate(blocks * blockSizeBytes + tailBytes);
  await file.close();
  return path;
}

async function put(path: string, offset: number, text: string): Promise<void> {
  const file = await open(path, "r+");
  await file.write(Buffer.from(text), 0, text.length, offset);
  await file.close();
}

async function listed(path: string, options: { changed?: readonly ChangedRange[]; fromBlock?: number } = {}) {
  const { fromBlock = 0, ...rest } = options;
  const source = await openFileBlockSource({ path, ...rest });
  const indexes: number[] = [];
  for await (const { index } of source.list({ ...call, fromBlock })) indexes.push(index);
  await source.close();
  return indexes;
}

describe("an image file as a source", () => {
  test("lists only blocks that hold something, also beyond its last whole block", async () => {
    const path = await image("sparse", 40, 1000);
    await put(path, 3 * blockSizeBytes + 17, "x");
    await put(path, 20 * blockSizeBytes, "y");
    await put(path, 40 * blockSizeBytes + 999, "z");
    expect(await listed(path)).toEqual([3, 20, 40]);
    expect(await listed(path, { fromBlock: 4 })).toEqual([20, 40]);
    const source = await openFileBlockSource({ path });
    expect(source).toMatchObject({ sizeBytes: 40 * blockSizeBytes + 1000, coverage: "full" });
    const bytes = new Uint8Array(blockSizeBytes).fill(7);
    await source.read({ index: 40 }, bytes, call);
    expect(Buffer.from(bytes.subarray(990, 1010)).toString()).toBe(`${"\0".repeat(9)}z${"\0".repeat(10)}`);
    await source.close();
  });

  test("with changed ranges lists the blocks that they touch, once and in order", async () => {
    const path = await image("changed", 10);
    const changed = [
      { offset: 5 * blockSizeBytes - 1, length: 2 },
      { offset: 0, length: 1 },
      { offset: 4 * blockSizeBytes, length: 10 },
      { offset: 9 * blockSizeBytes, length: blockSizeBytes },
      { offset: 7 * blockSizeBytes, length: 0 },
    ];
    expect(await listed(path, { changed })).toEqual([0, 4, 5, 9]);
    expect(await listed(path, { changed, fromBlock: 5 })).toEqual([5, 9]);
  });

  test.each([
    { offset: -1, length: 1 },
    { offset: 0, length: -1 },
    { offset: 10 * blockSizeBytes, length: 1 },
    { offset: 0, length: 10 * blockSizeBytes + 1 },
    { offset: 0.5, length: 1 },
    { offset: Number.NaN, length: 1 },
  ])("refuses the changed range %o", async (range) => {
    const path = await image("refused", 10);
    await expect(listed(path, { changed: [range] })).rejects.toMatchObject({ code: "source-invalid" });
  });

  test("that is not there is source-unreadable", async () => {
    await expect(listed(join(folder, "nothing"))).rejects.toMatchObject({ code: "source-unreadable" });
  });
});

describe("a file as a target", () => {
  const block = new Uint8Array(blockSizeBytes).fill(7);
  const zero = new Uint8Array(blockSizeBytes);

  test("is new, sparse, and as large as the volume", async () => {
    const path = join(folder, "restored");
    const sizeBytes = 100 * blockSizeBytes + 5;
    const target = await openFileBlockTarget({ path, sizeBytes });
    expect(target.isZeroFilled).toBe(true);
    await target.write({ index: 2, bytes: block, sha256: sha256(block) }, call);
    await target.write({ index: 100, bytes: block, sha256: sha256(block) }, call);
    const summary = await target.complete(call);
    await target.close();
    expect(summary).toMatchObject({ blocksWritten: 2, bytesWritten: blockSizeBytes + 5 });
    const digest = createHash("sha256").update(sha256(block)).update(sha256(block)).digest("base64");
    expect(summary.linearChecksum).toBe(digest);
    const facts = await stat(path);
    expect(facts.size).toBe(sizeBytes);
    expect(facts.blocks * 512).toBeLessThan(4 * blockSizeBytes);
    await expect(openFileBlockTarget({ path, sizeBytes })).rejects.toMatchObject({
      code: "target-unwritable",
    });
  });

  test("in place writes only blocks that differ, zero ones too", async () => {
    const path = join(folder, "in-place");
    await writeFile(path, Buffer.concat([block, block, block]));
    const target = await openFileBlockTarget({ path, sizeBytes: 3 * blockSizeBytes, inPlace: true });
    expect(target.isZeroFilled).toBe(false);
    for (const [index, bytes] of [block, zero, block].entries())
      await target.write({ index, bytes, sha256: sha256(bytes) }, call);
    expect(await target.complete(call)).toMatchObject({ blocksWritten: 1 });
    await target.close();
    expect((await readFile(path)).equals(Buffer.concat([block, zero, block]))).toBe(true);
  });
});
