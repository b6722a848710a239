import { expect, test } from "vitest";
import { randomBelow } from "@garrison/core/random";
import { blockSizeBytes } from "../disk/block-source.ts";
import {
  backUp,
  call,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import { openImageExport } from "./image-export.ts";
import type { ObjectStore } from "../store/object-store.ts";

async function diskWith(seed: string, indexes: readonly number[], blocks = 2000) {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(blocks);
  for (const index of indexes) disk.write(index, fixture.random);
  const { point } = await backUp(fixture, { source: disk.source() });
  return { fixture, disk, point };
}

function openExport(fixture: Fixture, point: string, store: ObjectStore = fixture.store) {
  const sessionKeys = (session: string, epoch: number) =>
    fixture.repository.sessionDataKey(fixtureDomain, session, epoch);
  const plan = { series: "disk", point, volumeId: "vol-1", threads: 0 };
  return openImageExport({ store, keys: fixture.keys, sessionKeys }, plan, call);
}

function plainOf(disk: MemoryDisk, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (const [index, block] of disk.blocks) {
    const start = index * blockSizeBytes - offset;
    if (start >= length || start + blockSizeBytes <= 0) continue;
    const from = Math.max(0, -start);
    bytes.set(block.subarray(from, Math.min(blockSizeBytes, length - start)), Math.max(0, start));
  }
  return bytes;
}

test("any range of a restore point reads as the disk did", async () => {
  const { fixture, disk, point } = await diskWith("export", [0, 1, 2, 511, 512, 513, 900, 1999]);
  const image = await openExport(fixture, point);
  for (let read = 0; read < 60; read++) {
    const length = 1 + randomBelow(fixture.random, 3 * blockSizeBytes);
    const near = [0, 511, 899, 1996][randomBelow(fixture.random, 4)]! * blockSizeBytes;
    const offset = Math.min(near + randomBelow(fixture.random, blockSizeBytes), disk.sizeBytes - length);
    const bytes = await image.read(offset, length, call);
    expect(Buffer.compare(bytes, plainOf(disk, offset, length)), `${length} at ${offset}`).toBe(0);
  }
  await image.close();
});

test("reading on in order asks the store less often than once a block", async () => {
  const indexes = Array.from({ length: 64 }, (_, index) => index);
  const { fixture, point } = await diskWith("onward", indexes);
  const store = openCountingObjectStore(fixture.store);
  const image = await openExport(fixture, point, store);
  for (let offset = 0; offset < 64 * blockSizeBytes; offset += 128 * 1024)
    await image.read(offset, 128 * 1024, call);
  await image.close();
  expect(store.counts.reads).toBeLessThan(64);
});

test("what was read lately is not read again", async () => {
  const { fixture, point } = await diskWith("lately", [7]);
  const store = openCountingObjectStore(fixture.store);
  const image = await openExport(fixture, point, store);
  await image.read(7 * blockSizeBytes, 4096, call);
  const before = store.counts.reads;
  await image.read(7 * blockSizeBytes + 8192, 4096, call);
  await image.close();
  expect(store.counts.reads).toBe(before);
});

test("a damaged block is named each time it is read, and its neighbours are read all the same", async () => {
  const { fixture, disk, point } = await diskWith("damage", [3, 4, 5]);
  const pack = [...fixture.objects.keys()].filter((key) => key.includes("/pack/")).toSorted()[0]!;
  fixture.objects.get(pack)!.bytes[100]! ^= 1;
  const image = await openExport(fixture, point);
  for (let again = 0; again < 2; again++) {
    await expect(image.read(3 * blockSizeBytes, 10, call)).rejects.toMatchObject({ code: "chunk-damaged" });
  }
  const bytes = await image.read(4 * blockSizeBytes, 1000, call);
  expect(Buffer.compare(bytes, plainOf(disk, 4 * blockSizeBytes, 1000))).toBe(0);
  await image.close();
});
