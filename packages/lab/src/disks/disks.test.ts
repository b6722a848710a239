import fc from "fast-check";
import { createHash } from "node:crypto";
import { mkdtemp, open, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { blockBytes } from "./disk-blocks.ts";
import { openDisks, type Disks } from "./disks.ts";
import { diffSnapshots, listBlocks } from "./snapshot-index.ts";

const signal = new AbortController().signal;
const sizeBytes = 16 * blockBytes;
let folder: string;
let disks: Disks;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-disks-"));
  disks = await openDisks(folder);
});

afterEach(async () => {
  await disks.snapshots.close();
  await rm(folder, { recursive: true, force: true });
});

async function fill(volumeId: string, block: number, value: number): Promise<void> {
  const file = await open(disks.volumes.path(volumeId), "r+");
  await file.write(Buffer.alloc(blockBytes, value), 0, blockBytes, block * blockBytes);
  await file.close();
}

async function capture(snapshotId: string, volumeId: string, lineage = volumeId) {
  return await disks.snapshots.capture(
    { snapshotId, sizeBytes, lineage },
    disks.volumes.path(volumeId),
    signal,
  );
}

function content(value: number) {
  const bytes = Buffer.alloc(blockBytes, value);
  return { bytes, digest: createHash("sha256").update(bytes).digest() };
}

describe("a snapshot of a volume", () => {
  test("has the blocks that aren't zeros, with their digests", async () => {
    await disks.volumes.create("vol-1", sizeBytes);
    await fill("vol-1", 3, 7);
    await fill("vol-1", 5, 0);
    const index = await capture("snap-1", "vol-1");
    expect([...index.blocks]).toEqual([3]);
    const block = await disks.snapshots.read("snap-1", 3);
    expect(block?.bytes[0]).toBe(7);
    expect(Buffer.from(block!.digest)).toEqual(createHash("sha256").update(block!.bytes).digest());
    expect(await disks.snapshots.read("snap-1", 4)).toBeUndefined();
  });

  test("isn't changed by later writes to the volume", async () => {
    await disks.volumes.create("vol-1", sizeBytes);
    await fill("vol-1", 3, 7);
    await capture("snap-1", "vol-1");
    await fill("vol-1", 3, 8);
    expect((await disks.snapshots.read("snap-1", 3))?.bytes[0]).toBe(7);
  });

  test("takes up space only for what no snapshot has yet", async () => {
    await disks.volumes.create("vol-1", sizeBytes);
    for (let block = 0; block < 8; block++) await fill("vol-1", block, block + 1);
    await capture("snap-1", "vol-1");
    await fill("vol-1", 2, 99);
    await capture("snap-2", "vol-1");
    expect((await stat(join(folder, "packs", "snap-2"))).size).toBe(blockBytes);
  });

  test("survives the deletion of the snapshot that first stored its blocks", async () => {
    await disks.volumes.create("vol-1", sizeBytes);
    await fill("vol-1", 1, 5);
    await capture("snap-1", "vol-1");
    await capture("snap-2", "vol-1");
    await disks.snapshots.delete("snap-1");
    expect((await disks.snapshots.read("snap-2", 1))?.bytes[0]).toBe(5);
    await disks.snapshots.delete("snap-2");
    expect(await readdir(join(folder, "packs"))).toEqual([]);
  });

  test("fills a new volume with the same bytes", async () => {
    await disks.volumes.create("vol-1", sizeBytes);
    await fill("vol-1", 0, 1);
    await fill("vol-1", 15, 2);
    await capture("snap-1", "vol-1");
    await disks.volumes.restore(
      { volumeId: "vol-2", sizeBytes, snapshotId: "snap-1" },
      disks.snapshots,
      signal,
    );
    const [original, restored] = [disks.volumes.path("vol-1"), disks.volumes.path("vol-2")];
    expect((await readFile(restored)).equals(await readFile(original))).toBe(true);
  });
});

test("the difference of two snapshots equals a comparison of all bytes", async () => {
  const writes = fc.array(fc.tuple(fc.nat(15), fc.nat(3)), { maxLength: 12 });
  let round = 0;
  await fc.assert(
    fc.asyncProperty(writes, writes, fc.nat(15), async (before, after, from) => {
      const id = `vol-${++round}`;
      await disks.volumes.create(id, sizeBytes);
      for (const [block, value] of before) await fill(id, block, value);
      const older = await readFile(disks.volumes.path(id));
      const first = await capture(`snap-a${round}`, id);
      for (const [block, value] of after) await fill(id, block, value);
      const newer = await readFile(disks.volumes.path(id));
      const second = await capture(`snap-b${round}`, id);
      const changed: number[] = [];
      for (let block = from; block < 16; block++) {
        const range = [block * blockBytes, (block + 1) * blockBytes] as const;
        if (!older.subarray(...range).equals(newer.subarray(...range))) changed.push(block);
      }
      expect([...diffSnapshots(first, second, from)].map((change) => change.block)).toEqual(changed);
      await disks.volumes.delete(id);
    }),
    { numRuns: 25 },
  );
});

describe("a snapshot that is written block by block", () => {
  test("goes on after the lab was killed", async () => {
    await disks.snapshots.begin("snap-1");
    await disks.snapshots.put("snap-1", 4, content(1));
    const again = await openDisks(folder);
    await again.snapshots.put("snap-1", 2, content(2));
    const index = await again.snapshots.complete(
      { snapshotId: "snap-1", sizeBytes, lineage: "l" },
      undefined,
    );
    expect([...index.blocks]).toEqual([2, 4]);
    expect((await again.snapshots.read("snap-1", 4))?.bytes[0]).toBe(1);
    expect(await readdir(join(folder, "pending"))).toEqual([]);
    await again.snapshots.close();
  });

  test("has its parent's blocks under its own, explicit zeros included", async () => {
    await disks.snapshots.create({ snapshotId: "snap-p", sizeBytes, lineage: "l" }, [
      { block: 1, ...content(1) },
      { block: 2, ...content(2) },
    ]);
    await disks.snapshots.begin("snap-c");
    await disks.snapshots.put("snap-c", 2, content(0));
    await disks.snapshots.put("snap-c", 9, content(9));
    const index = await disks.snapshots.complete({ snapshotId: "snap-c", sizeBytes, lineage: "l" }, "snap-p");
    expect([...index.blocks]).toEqual([1, 2, 9]);
    expect((await disks.snapshots.read("snap-c", 2))?.bytes.every((byte) => byte === 0)).toBe(true);
  });
});

test("snapshots are there after a restart, and packs of half-made ones are not", async () => {
  await disks.volumes.create("vol-1", sizeBytes);
  await fill("vol-1", 1, 5);
  await capture("snap-1", "vol-1");
  await writeFile(join(folder, "packs", "snap-lost"), "x");
  const again = await openDisks(folder);
  expect([...listBlocks(again.snapshots.index("snap-1"))].map((entry) => entry.block)).toEqual([1]);
  expect((await again.snapshots.read("snap-1", 1))?.bytes[0]).toBe(5);
  expect(await readdir(join(folder, "packs"))).toEqual(["snap-1"]);
  await again.snapshots.close();
});
