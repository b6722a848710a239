import { silentLogger } from "@garrison/core/logger";
import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { flipByte, keysOf, runCheck } from "../simulation/damage.ts";
import {
  backUp,
  call,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { loadKnownLosses, nothingLost, noteLosses } from "./findings-note.ts";
import { LostItems, type LostPack } from "./lost-items.ts";

const keeperOf = (fixture: Fixture) => ({
  ...fixture,
  logger: silentLogger,
  controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain),
});

function lostOf(...packs: readonly LostPack[]): LostItems {
  const lost = new LostItems();
  for (const pack of packs) lost.add(pack);
  return lost;
}

const lane = { session: "0011223344556677", lane: "89abcdef" };

describe("the note on what is lost", () => {
  test("comes back as it was written, runs of missing packs as one entry", async () => {
    const fixture = openFixture("note");
    const packs = [
      { ...lane, kind: "map" as const, number: 3, offsets: [32, 5000] },
      ...Array.from({ length: 1000 }, (_, number) => ({
        ...lane,
        kind: "pack" as const,
        number,
        keptBytes: 0,
        offsets: [],
      })),
      { ...lane, kind: "pack" as const, number: 2000, keptBytes: 4096, offsets: [64] },
    ];
    const volumes = [{ series: "ab".repeat(16), point: lane.session, volumeId: "vol-1", blocks: 7 }];
    const now = { lost: lostOf(...packs), volumes };
    await noteLosses(keeperOf(fixture), { before: nothingLost(), now }, call);
    const known = await loadKnownLosses(keeperOf(fixture), call);
    expect([...known.lost.packs()]).toEqual(packs);
    expect(known.volumes).toEqual(volumes);
    expect(fixture.objects.get(keysOf(fixture, "note")[0]!)!.bytes.length).toBeLessThan(1000);
  });

  test("takes the place of the one before, and is not written when nothing has changed", async () => {
    const fixture = openFixture("note again");
    const keeper = keeperOf(fixture);
    for (const number of [1, 2, 2]) {
      await fixture.clock.advance(1000);
      const before = await loadKnownLosses(keeper, call);
      const lost = lostOf({ ...lane, kind: "pack", number, keptBytes: 0, offsets: [] });
      await noteLosses(keeper, { before, now: { lost, volumes: [] } }, call);
    }
    expect(keysOf(fixture, "note")).toHaveLength(1);
    const known = await loadKnownLosses(keeper, call);
    expect([...known.lost.packs()].map((pack) => pack.number)).toEqual([2]);
  });

  test("is as if it were not there for whoever may not read it", async () => {
    const fixture = openFixture("denied");
    const denied = new GarrisonError("store-access-denied", "no");
    const store: Fixture["store"] = {
      ...fixture.store,
      list: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(denied) }) }),
    };
    expect((await loadKnownLosses({ ...keeperOf(fixture), store }, call)).lost.isEmpty).toBe(true);
  });
});

describe("a check with a memory", () => {
  test("remembers damage that only a full read can see, and forgets it when that is gone", async () => {
    const fixture = openFixture("memory");
    const disk = new MemoryDisk(100);
    disk.write(7, fixture.random);
    const { point } = await backUp(fixture, { source: disk.source() });
    const key = keysOf(fixture, "pack")[0]!;
    const intact = fixture.objects.get(key)!;
    flipByte(fixture.objects, key, 60);
    const remembers = true;
    const full = await runCheck(fixture, { remembers });
    const structure = await runCheck(fixture, { level: "structure", remembers });
    const facts = ({ findings }: typeof full) => findings.map(({ code, hits }) => ({ code, hits }));
    expect(facts(structure)).toEqual(facts(full));
    expect(full.findings).toEqual([expect.objectContaining({ code: "chunk-damaged", point })]);
    fixture.objects.set(key, intact);
    expect((await runCheck(fixture, { level: "structure", remembers })).findings).toHaveLength(1);
    expect((await runCheck(fixture, { remembers })).findings).toEqual([]);
    expect((await runCheck(fixture, { level: "structure", remembers })).findings).toEqual([]);
  });
});
