import { describe, expect, test } from "vitest";
import { dayMs, minuteMs } from "@garrison/core/units";
import { flipByte, keysOf, runCheck } from "../simulation/damage.ts";
import { backUp, MemoryDisk, openFixture, smallLimits, type Fixture } from "../simulation/engine-fixture.ts";
import type { CheckBudget } from "./check-plan.ts";

const limits = { ...smallLimits, packBytes: 64 * 1024 };

async function openHistory(): Promise<Fixture> {
  const fixture = openFixture("budget");
  const disk = new MemoryDisk(600);
  for (let index = 0; index < 20; index++) disk.write(index * 7, fixture.random, 25_000);
  let parent: string | undefined;
  for (let point = 0; point < 3; point++) {
    disk.write(point, fixture.random, 25_000);
    const source = disk.source(parent === undefined ? undefined : [point]);
    parent = (await backUp(fixture, { source, limits, ...(parent === undefined ? {} : { parent }) })).point;
  }
  return fixture;
}

/** One part of a check, an hour after the one before; answers which packs it read whole. */
async function readPart(fixture: Fixture, budget: CheckBudget): Promise<readonly string[]> {
  await fixture.clock.advance(60 * minuteMs);
  const read: string[] = [];
  const store: Fixture["store"] = {
    ...fixture.store,
    read: (key, call) => {
      if (call.range === undefined && /\/(pack|map)\//.test(key)) read.push(key);
      return fixture.store.read(key, call);
    },
  };
  await runCheck(fixture, { budget, store, remembers: true });
  return read;
}

const allPacks = (fixture: Fixture) => [...keysOf(fixture, "pack"), ...keysOf(fixture, "map")].sort();

describe("a full check in parts", () => {
  test("reads every pack exactly once a cycle, those first that were read longest ago", async () => {
    const fixture = await openHistory();
    const packs = allPacks(fixture);
    const read: string[] = [];
    while (read.length < 3 * packs.length) read.push(...(await readPart(fixture, { bytes: 130_000 })));
    expect(packs.length).toBeGreaterThan(10);
    for (let start = 0; start < 3 * packs.length; start += packs.length) {
      expect(read.slice(start, start + packs.length).toSorted()).toEqual(packs);
    }
  });

  test("keeps to its budget, and reads one pack however small it is", async () => {
    const fixture = await openHistory();
    const size = (keys: readonly string[]) =>
      keys.reduce((total, key) => total + fixture.objects.get(key)!.bytes.length, 0);
    expect(size(await readPart(fixture, { bytes: 130_000 }))).toBeLessThanOrEqual(130_000);
    expect(await readPart(fixture, { bytes: 1 })).toHaveLength(1);
    expect(await readPart(fixture, { durationMs: 0 })).toHaveLength(1);
  });

  test("leaves out what was read lately enough", async () => {
    const fixture = await openHistory();
    const maxAgeMs = 30 * dayMs;
    expect([...(await readPart(fixture, { maxAgeMs }))].sort()).toEqual(allPacks(fixture));
    expect(await readPart(fixture, { maxAgeMs })).toEqual([]);
    await fixture.clock.advance(maxAgeMs);
    expect(await readPart(fixture, { maxAgeMs })).toHaveLength(allPacks(fixture).length);
  });

  test("begins again when its note is lost", async () => {
    const fixture = await openHistory();
    const first = await readPart(fixture, { bytes: 130_000 });
    for (const key of keysOf(fixture, "note")) fixture.objects.delete(key);
    expect(await readPart(fixture, { bytes: 130_000 })).toEqual(first);
    const read = new Set<string>();
    for (let part = 0; part < 20; part++)
      for (const key of await readPart(fixture, { bytes: 130_000 })) read.add(key);
    expect([...read].sort()).toEqual(allPacks(fixture));
  });

  test("leaves one note behind, and forgets packs that nothing needs", async () => {
    const fixture = await openHistory();
    for (let part = 0; part < 4; part++) await readPart(fixture, { bytes: 130_000 });
    expect(keysOf(fixture, "note/verified")).toHaveLength(1);
  });

  test("takes two checks at once for what both have read", async () => {
    const fixture = await openHistory();
    const first = await readPart(fixture, { bytes: 130_000 });
    const note = keysOf(fixture, "note/verified")[0]!;
    const kept = fixture.objects.get(note)!;
    const second = await readPart(fixture, { bytes: 130_000 });
    fixture.objects.set(note, kept);
    const third = await readPart(fixture, { bytes: 130_000 });
    expect(third.filter((key) => first.includes(key) || second.includes(key))).toEqual([]);
  });

  test("finds the damage that it comes upon, with the points", async () => {
    const fixture = await openHistory();
    const key = keysOf(fixture, "pack")[0]!;
    flipByte(fixture.objects, key, 1000);
    const { findings } = await runCheck(fixture, { budget: {}, remembers: true });
    expect(findings).toEqual([expect.objectContaining({ code: "chunk-damaged", key, hitCount: 3 })]);
  });
});
