import { expect, test } from "vitest";
import { MiB, TiB } from "@garrison/core/units";
import type { EngineLimits } from "../backup/engine-limits.ts";
import { defaultLimits } from "../backup/engine-limits.ts";
import { checkRepository } from "../check/check-repository.ts";
import { blockSizeBytes } from "../disk/block-source.ts";
import { leafEntries } from "../format/format-limits.ts";
import { findNewestPoint } from "../point/find-newest-point.ts";
import { listPoints } from "../point/list-points.ts";
import { readRecord } from "../point/read-point.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import { walkVolume } from "../point/walk-volume.ts";
import { seriesHash } from "../format/object-names.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import { backUp, call, fixtureDomain, openFixture, smallLimits, type Fixture } from "./engine-fixture.ts";
import { keepInMemory } from "./kept-bytes.ts";
import { ruledSource } from "./ruled-source.ts";
import { openScaleStore } from "./scale-store.ts";

/** Figures of the whole are printed by bench/scale.ts; here is what must hold of requests, whatever the size. */
function openScale(seed: string) {
  const fixture = openFixture(seed);
  const inner = openScaleStore({ now: () => fixture.clock.now(), bytes: keepInMemory() });
  const store = openCountingObjectStore(inner);
  const counted = async <Result>(run: () => Promise<Result>) => {
    const before = { ...store.counts };
    const result = await run();
    const { creates, reads, lists } = store.counts;
    return {
      result,
      creates: creates - before.creates,
      reads: reads - before.reads,
      lists: lists - before.lists,
    };
  };
  return { fixture: { ...fixture, store } as Fixture, counted };
}

function back(fixture: Fixture, backup: Parameters<typeof backUp>[1] & { readonly limits?: EngineLimits }) {
  return backUp(fixture, { limits: defaultLimits, ...backup });
}

const blocks16TiB = (16 * TiB) / blockSizeBytes;

test("a volume of 16 TiB costs what it holds: full, changes, walk and check", async () => {
  const { fixture, counted } = openScale("16 TiB");
  const disk = { blocks: blocks16TiB, stored: 600 };
  const full = await counted(() => back(fixture, { source: ruledSource(disk) }));
  expect(full.result.volumes[0]).toMatchObject({ blocksListed: 600, blocksStored: 600 });
  // open, lane, a pack, two map packs (pages; table and hooks), the record.
  expect(full.creates).toBeLessThanOrEqual(7);
  const changed = await counted(() =>
    back(fixture, {
      source: ruledSource({ ...disk, changedPerMille: 20, generation: 1 }),
      parent: full.result.point,
    }),
  );
  const { blocksListed } = changed.result.volumes[0]!;
  expect(blocksListed).toBe(13);
  expect(changed.creates).toBeLessThanOrEqual(7);
  // A leaf and an inner page for each changed block, and the fixed ones: record, table (twice), hooks.
  expect(changed.reads).toBeLessThanOrEqual(2 * blocksListed + 8);
  const record = await readRecord(fixture, { series: "disk", sessionId: changed.result.point }, call);
  const [volume] = record.volumes;
  const reader = openVolumeReader(
    fixture,
    { series: seriesHash(fixture.keys, "disk"), volume: volume! },
    call,
  );
  const walk = await counted(async () => {
    let entries = 0;
    for await (const { leaf } of walkVolume(reader, { withEmpty: false }))
      entries += leaf!.filter((entry) => entry !== undefined).length;
    return entries;
  });
  expect(walk.result).toBe(600);
  expect(walk.reads).toBeLessThanOrEqual(600 + Math.ceil(blocks16TiB / leafEntries / 512));
  const check = await counted(async () => {
    const found = [];
    const plan = { level: "structure", domain: fixtureDomain, threads: 0 } as const;
    for await (const finding of checkRepository(fixture, plan, call)) found.push(finding);
    return found;
  });
  expect(check.result).toEqual([]);
  expect(check.reads + check.lists).toBeLessThan(40);
});

/** A series of points, each with one changed block. */
async function openSeries(points: number) {
  const { fixture, counted } = openScale("series");
  const disk = { blocks: 2000, stored: 50 };
  const limits = { ...smallLimits, packsPerMark: 64, leavesPerMark: 64 };
  let { point } = await back(fixture, { source: ruledSource(disk), limits });
  let requests = { creates: 0, reads: 0, lists: 0 };
  for (let generation = 1; generation < points; generation++) {
    const source = ruledSource({ ...disk, changedPerMille: 1, generation });
    const made = await counted(() => back(fixture, { source, parent: point, limits }));
    point = made.result.point;
    requests = { creates: made.creates, reads: made.reads, lists: made.lists };
  }
  const newest = await counted(() => findNewestPoint(fixture, "disk", call));
  expect(newest.result?.sessionId).toBe(point);
  const list = await counted(() => listPoints(fixture, {}, call));
  expect(list.result).toHaveLength(points);
  return { requests, newest, list };
}

test("a backup, and the search for the newest point, cost the same after 150 points as after 30", async () => {
  const [short, long] = [await openSeries(30), await openSeries(150)];
  expect(long.requests).toEqual(short.requests);
  expect(long.requests.creates).toBeLessThanOrEqual(7);
  expect({ reads: long.newest.reads, lists: long.newest.lists }).toEqual({ reads: 1, lists: 3 });
  expect(long.list.reads).toBe(150);
});

test("a TiB of new data that does not compress takes less than 40,000 PUT", async () => {
  const { fixture, counted } = openScale("PUT");
  const puts = async (sizeBytes: number) => {
    const blocks = sizeBytes / blockSizeBytes;
    const source = ruledSource({ blocks, stored: blocks, weight: blockSizeBytes });
    return (await counted(() => back(fixture, { source, series: `of ${sizeBytes}` }))).creates;
  };
  // What grows with the data: 20 packs of 32 MiB (63 blocks each) lie between the two.
  const [small, large] = [await puts(63 * 0.5 * MiB), await puts(21 * 63 * 0.5 * MiB)];
  const bytesBetween = 20 * 63 * 0.5 * MiB;
  const perTiB = ((large - small) * TiB) / bytesBetween;
  expect(perTiB).toBeLessThan(34_000);
  // Besides packs a TiB has a mark every 64 packs, map packs of 8 MiB, and what each session has once.
  const marks = perTiB / 64;
  const mapPacks = Math.ceil((TiB / blockSizeBytes) * 64) / (8 * MiB);
  expect(perTiB + 2 * marks + mapPacks + small).toBeLessThan(40_000);
}, 600_000);
