import { expect, test } from "vitest";
import { randomBelow } from "@garrison/core/random";
import { blockSizeBytes } from "../disk/block-source.ts";
import { seriesHash } from "../format/object-names.ts";
import { backUp, call, MemoryDisk, openFixture, type Fixture } from "../simulation/engine-fixture.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { diffVolumes } from "./diff-volumes.ts";
import { readRecord } from "./read-point.ts";
import { openVolumeReader } from "./volume-reader.ts";

async function openReader(fixture: Fixture, sessionId: string, store: ObjectStore = fixture.store) {
  const record = await readRecord({ ...fixture, store }, { series: "disk", sessionId }, call);
  const owner = { series: seriesHash(fixture.keys, "disk"), volume: record.volumes[0]! };
  return openVolumeReader({ ...fixture, store }, owner, call);
}

async function changedBlocks(fixture: Fixture, before: string, after: string): Promise<number[]> {
  const blocks: number[] = [];
  const volumes = [await openReader(fixture, before), await openReader(fixture, after)] as const;
  for await (const { offset, length } of diffVolumes(...volumes)) {
    for (let at = offset; at < offset + length; at += blockSizeBytes) blocks.push(at / blockSizeBytes);
  }
  return blocks;
}

test("exactly the blocks that differ are named, whichever way the points were made", async () => {
  const fixture = openFixture("diff");
  const disk = new MemoryDisk(3000);
  for (let index = 0; index < 3000; index += 97) disk.write(index, fixture.random);
  const first = await backUp(fixture, { source: disk.source() });
  const changed = new Set<number>();
  for (let write = 0; write < 12; write++) changed.add(randomBelow(fixture.random, 3000));
  for (const index of changed) disk.write(index, fixture.random);
  disk.erase(97);
  changed.add(97);
  const expected = [...changed].sort((a, b) => a - b);
  const second = await backUp(fixture, { source: disk.source(expected), parent: first.point });
  const inFull = await backUp(fixture, { source: disk.source() });
  expect(await changedBlocks(fixture, first.point, second.point)).toEqual(expected);
  expect(await changedBlocks(fixture, first.point, inFull.point)).toEqual(expected);
  expect(await changedBlocks(fixture, second.point, inFull.point)).toEqual([]);
});

test("what a volume has grown by is changed", async () => {
  const fixture = openFixture("grown");
  const small = await backUp(fixture, { source: new MemoryDisk(10).source() });
  const large = new MemoryDisk(14);
  large.write(9, fixture.random);
  const grown = await backUp(fixture, { source: large.source() });
  expect(await changedBlocks(fixture, small.point, grown.point)).toEqual([9, 10, 11, 12, 13]);
});

test("pages that both share are not read", async () => {
  const fixture = openFixture("shared");
  const disk = new MemoryDisk(512 * 40);
  for (let leaf = 0; leaf < 40; leaf++) disk.write(leaf * 512, fixture.random);
  const first = await backUp(fixture, { source: disk.source() });
  disk.write(5, fixture.random);
  const second = await backUp(fixture, { source: disk.source([5]), parent: first.point });
  const store = openCountingObjectStore(fixture.store);
  const volumes = [
    await openReader(fixture, first.point, store),
    await openReader(fixture, second.point, store),
  ] as const;
  const before = store.counts.reads;
  for await (const _ of diffVolumes(...volumes));
  // An interior page and a leaf of each.
  expect(store.counts.reads - before).toBe(4);
});
