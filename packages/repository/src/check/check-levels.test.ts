import { describe, expect, test } from "vitest";
import { blockSizeBytes } from "../disk/block-source.ts";
import { cutObject, flipByte, keysOf, runCheck } from "../simulation/damage.ts";
import { backUp, MemoryDisk, openFixture, smallLimits, type Fixture } from "../simulation/engine-fixture.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";

const limits = { ...smallLimits, packBytes: 160 * 1024 };

interface History {
  readonly fixture: Fixture;
  /** Oldest first. */
  readonly points: readonly string[];
}

/** A first backup of blocks 0, 10, ... 50, then incrementals that change block 100. */
async function openHistory(pointCount: number): Promise<History> {
  const fixture = openFixture("levels");
  const disk = new MemoryDisk(1200);
  for (let index = 0; index < 60; index += 10) disk.write(index, fixture.random, 50_000);
  const points = [(await backUp(fixture, { source: disk.source(), limits })).point];
  while (points.length < pointCount) {
    disk.write(100, fixture.random);
    const parent = points.at(-1)!;
    points.push((await backUp(fixture, { source: disk.source([100]), parent, limits })).point);
  }
  return { fixture, points };
}

describe("damage to a pack that many points refer to", () => {
  test("is one finding that counts them all and lists the oldest with their exact bytes", async () => {
    const { fixture, points } = await openHistory(30);
    flipByte(fixture.objects, keysOf(fixture, "pack", points[0])[0]!, 60_000);
    const { findings, summary } = await runCheck(fixture, { hitsListed: 3 });
    const ranges = [{ offset: 10 * blockSizeBytes, length: blockSizeBytes }];
    expect(findings).toEqual([
      expect.objectContaining({
        code: "chunk-damaged",
        hitCount: 30,
        hits: points
          .slice(0, 3)
          .map((point) => expect.objectContaining({ point, volumeId: "vol-1", ranges })),
      }),
    ]);
    expect(summary.losses.map((loss) => loss.blocks)).toEqual(points.map(() => 1));
  });

  test("is found missing by structure, with the bytes of each point", async () => {
    const { fixture, points } = await openHistory(3);
    fixture.objects.delete(keysOf(fixture, "pack", points[0])[0]!);
    const { findings } = await runCheck(fixture, { level: "structure" });
    const ranges = [0, 10, 20].map((block) => ({ offset: block * blockSizeBytes, length: blockSizeBytes }));
    expect(findings).toEqual([
      expect.objectContaining({
        code: "object-missing",
        hits: points.map((point) => expect.objectContaining({ point, ranges })),
      }),
    ]);
  });

  test("loses only what lies behind the cut when it is too short", async () => {
    const { fixture, points } = await openHistory(2);
    const key = keysOf(fixture, "pack", points[0])[0]!;
    cutObject(fixture.objects, key, 110_000);
    const { findings } = await runCheck(fixture, { level: "structure" });
    const ranges = [{ offset: 20 * blockSizeBytes, length: blockSizeBytes }];
    expect(findings).toEqual([
      expect.objectContaining({
        code: "object-truncated",
        key,
        hits: points.map((point) => expect.objectContaining({ point, ranges })),
      }),
    ]);
  });

  test("stops at the point whose change took its place", async () => {
    const fixture = openFixture("replaced");
    const disk = new MemoryDisk(100);
    disk.write(5, fixture.random);
    const first = await backUp(fixture, { source: disk.source() });
    disk.write(5, fixture.random);
    await backUp(fixture, { source: disk.source([5]), parent: first.point });
    flipByte(fixture.objects, keysOf(fixture, "pack", first.point)[0]!, 100);
    const { findings } = await runCheck(fixture);
    expect(findings).toEqual([expect.objectContaining({ hitCount: 1, point: first.point })]);
  });
});

describe("a lost leaf", () => {
  test("hits all blocks below it, up to the end of the volume", async () => {
    const fixture = openFixture("leaf");
    const disk = new MemoryDisk(700);
    for (const index of [3, 600]) disk.write(index, fixture.random);
    const mapPackOfEach = { ...smallLimits, leavesPerMark: 1 };
    const { point } = await backUp(fixture, { source: disk.source(), limits: mapPackOfEach });
    const second = keysOf(fixture, "map", point)[1]!;
    flipByte(fixture.objects, second, 80);
    const { findings } = await runCheck(fixture);
    const range = { offset: 512 * blockSizeBytes, length: 188 * blockSizeBytes };
    expect(findings).toEqual([expect.objectContaining({ code: "page-damaged", key: second, point, range })]);
  });
});

describe("the structure check", () => {
  test("lists as often for many points as for few, and reads a record and a table of each", async () => {
    const counts = [];
    for (const pointCount of [10, 40]) {
      const { fixture } = await openHistory(pointCount);
      const store = openCountingObjectStore(fixture.store);
      expect((await runCheck(fixture, { level: "structure", store })).findings).toEqual([]);
      counts.push({ lists: store.counts.lists - pointCount, reads: store.counts.reads / pointCount });
    }
    // Each record is preceded by a listing of its exact name; besides: tombstones, points, packs, maps, and what was moved of each.
    expect(counts).toEqual([
      { lists: 6, reads: 2 },
      { lists: 6, reads: 2 },
    ]);
  });
});

describe("the full check", () => {
  test("opens what successive points share once", async () => {
    const perPoint = [];
    for (const pointCount of [10, 20, 30]) {
      const { fixture } = await openHistory(pointCount);
      const store = openCountingObjectStore(fixture.store);
      await runCheck(fixture, { store });
      perPoint.push(store.counts.reads);
    }
    expect(perPoint[2]! - perPoint[1]!).toBe(perPoint[1]! - perPoint[0]!);
  });
});

describe("the sample check", () => {
  test("reads a share of the packs, and the same ones for the same seed", async () => {
    const { fixture } = await openHistory(40);
    const readFor = async (seed: string) => {
      const keys: string[] = [];
      const store = { ...fixture.store, read: recordInto(keys, fixture) };
      const { summary } = await runCheck(fixture, { level: "sample", share: 0.2, seed, store });
      expect(summary.packsRead).toBe(keys.length);
      return keys;
    };
    const first = await readFor("a");
    expect(first.length).toBeGreaterThan(5);
    expect(first.length).toBeLessThan(50);
    expect(await readFor("a")).toEqual(first);
    expect(await readFor("b")).not.toEqual(first);
  });

  test("finds a damaged page of a series' newest point, drawn or not", async () => {
    const { fixture, points } = await openHistory(3);
    for (const key of keysOf(fixture, "map", points.at(-1)).slice(0, 1)) flipByte(fixture.objects, key, 100);
    const { findings } = await runCheck(fixture, { level: "sample", share: 0 });
    expect(findings).toEqual([expect.objectContaining({ code: "page-damaged", point: points.at(-1) })]);
  });

  test("with a share of 1 finds whatever a full check finds in packs", async () => {
    const { fixture } = await openHistory(2);
    const packs = [...keysOf(fixture, "pack"), ...keysOf(fixture, "map")];
    for (const key of packs) {
      const intact = fixture.objects.get(key)!;
      for (const share of [0.3, 0.6]) {
        flipByte(fixture.objects, key, Math.floor(intact.bytes.length * share));
        const sampled = await runCheck(fixture, { level: "sample", share: 1 });
        const full = await runCheck(fixture);
        const facts = ({ findings }: typeof full) =>
          findings.map(({ key, code, hits }) => ({ key, code, hits }));
        expect(facts(sampled), key).toEqual(facts(full));
        expect(full.findings.length, key).toBeGreaterThan(0);
        fixture.objects.set(key, intact);
      }
    }
  });

  test("opens the blocks of a pack whose footer is damaged through the maps", async () => {
    const { fixture, points } = await openHistory(2);
    const key = keysOf(fixture, "pack", points[0])[0]!;
    flipByte(fixture.objects, key, 60_000);
    flipByte(fixture.objects, key, fixture.objects.get(key)!.bytes.length - 30);
    const { findings } = await runCheck(fixture, { level: "sample", share: 1 });
    expect(findings.map((finding) => finding.code)).toEqual(["object-damaged", "chunk-damaged"]);
  });
});

/** Notes reads of whole objects. */
function recordInto(keys: string[], { store }: Fixture): Fixture["store"]["read"] {
  return (key, call) => {
    if (call.range === undefined && /\/(pack|map)\//.test(key)) keys.push(key);
    return store.read(key, call);
  };
}
