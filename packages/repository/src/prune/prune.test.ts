import { describe, expect, test } from "vitest";
import { dayMs } from "@garrison/core/units";
import { giveUpSession } from "../keeper/end-session.ts";
import {
  backUp,
  call,
  drawSession,
  firstDifference,
  MemoryDisk,
  openFixture,
  restore,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { eager, end, keeperOf, namesOf, prune } from "../simulation/prune-fixture.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import { GarrisonError } from "@garrison/core/garrison-error";
import { planPrune } from "./plan-prune.ts";
import { executePrune } from "./execute-prune.ts";

/** A disk whose content at each point is known. */
async function openDisk(seed: string) {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(700);
  const points = new Map<string, ReadonlyMap<number, Uint8Array>>();
  const write = (...blocks: number[]) => {
    for (const block of blocks) disk.write(block, fixture.random, 90_000);
    return blocks;
  };
  const back = async (changed: readonly number[] | undefined, parent?: string) => {
    const { point } = await backUp(fixture, {
      source: disk.source(changed),
      ...(parent === undefined ? {} : { parent }),
    });
    points.set(point, disk.copy());
    return point;
  };
  const verify = async (...ids: string[]) => {
    for (const id of ids.length > 0 ? ids : points.keys())
      expect(firstDifference(await restore(fixture, id), points.get(id)!), id).toBeUndefined();
  };
  return { fixture, disk, write, back, verify };
}

/** A session whose writer is killed when it has stored a pack. */
async function killedBackup(fixture: Fixture, disk: MemoryDisk): Promise<string> {
  const sessionId = await drawSession(fixture);
  const death = new GarrisonError("aborted", "the writer was killed");
  let packs = 0;
  const store = openFaultyObjectStore(fixture.store, ({ method, key }) => {
    if (method === "create" && /\/(pack|map)\//.test(key)) packs++;
    return packs > 1 ? { when: "before", error: death } : undefined;
  });
  await expect(backUp(fixture, { source: disk.source(), sessionId, store })).rejects.toBe(death);
  return sessionId;
}

describe("a pass", () => {
  test("reclaims what only an ended point refers to, and nothing else", async () => {
    const { fixture, write, back, verify } = await openDisk("ended");
    const first = await back((write(0, 100, 200, 300), undefined));
    const second = await back(write(100, 200), first);
    await end(fixture, first);
    const before = namesOf(fixture, "pack", "map");
    const { packsDeleted, recordsDeleted, plan } = await prune(fixture, { ...eager, repackBelow: 0 });
    expect(recordsDeleted).toBe(1);
    expect(packsDeleted).toBe(before.length - namesOf(fixture, "pack", "map").length);
    expect(packsDeleted).toBeGreaterThan(0);
    expect(plan.findings).toEqual([]);
    expect(namesOf(fixture, "session")).toEqual([]);
    await verify(second);
  });

  test("leaves nothing of a repository whose points have all ended but tombstones and notes", async () => {
    const { fixture, write, back } = await openDisk("all ended");
    const first = await back((write(0, 100), undefined));
    const second = await back(write(100), first);
    await end(fixture, first);
    await end(fixture, second);
    await prune(fixture);
    expect(namesOf(fixture).filter((name) => !/^(end|note)\//.test(name))).toEqual([]);
  });

  test("waits for the grace, by the store's own times", async () => {
    const { fixture, write, back, verify } = await openDisk("grace");
    const point = await back((write(0), undefined));
    await end(fixture, point);
    const clock = { now: () => fixture.clock.now() + 30 * dayMs, sleep: fixture.clock.sleep };
    const plan = await planPrune({ ...keeperOf(fixture), clock }, {}, call);
    expect(plan.packs).toEqual([]);
    expect(plan.records).toEqual([]);
    await fixture.clock.advance(7 * dayMs);
    expect((await planPrune(keeperOf(fixture), {}, call)).records).toHaveLength(1);
    await expect(verify(point)).rejects.toMatchObject({ code: "point-ended" });
  });

  test("frees the space of a session that gave up at once, and tidies after one that committed", async () => {
    const { fixture, disk, write, back, verify } = await openDisk("given up");
    const point = await back((write(0, 100, 200), undefined));
    write(0, 100, 200);
    const sessionId = await killedBackup(fixture, disk);
    expect(namesOf(fixture, `pack/${sessionId}`).length).toBeGreaterThan(0);
    await prune(fixture);
    expect(namesOf(fixture, `pack/${sessionId}`).length).toBeGreaterThan(0);
    expect(namesOf(fixture, "session").every((name) => name.includes(sessionId))).toBe(true);
    await giveUpSession(fixture, { series: "disk", sessionId }, call);
    await prune(fixture);
    expect(namesOf(fixture, `pack/${sessionId}`)).toEqual([]);
    expect(namesOf(fixture, "session")).toEqual([]);
    await verify(point);
  });

  test("changes nothing when it is repeated, and makes few calls", async () => {
    const { fixture, write, back } = await openDisk("repeated");
    await back((write(0, 100, 200), undefined));
    await prune(fixture);
    const before = namesOf(fixture);
    const { plan } = await prune(fixture);
    expect(plan.packs).toEqual([]);
    expect(plan.sessions).toEqual([]);
    expect(plan.catalogueIsNew).toBe(false);
    expect(namesOf(fixture)).toEqual(before);
  });
});

describe("a session without a sign of life", () => {
  test("is fenced when its newest object is a day old by the store's clock, and its space freed in the same pass", async () => {
    const { fixture, disk, write } = await openDisk("stale");
    write(0, 100, 200);
    const sessionId = await killedBackup(fixture, disk);
    await fixture.clock.advance(dayMs - 2000);
    expect((await prune(fixture)).fenced).toEqual([]);
    await fixture.clock.advance(10_000);
    expect((await prune(fixture)).fenced).toEqual([sessionId]);
    expect(namesOf(fixture, "pack", "map", "session")).toEqual([]);
    await expect(backUp(fixture, { source: disk.source(), sessionId })).rejects.toMatchObject({
      code: "session-fenced",
    });
  });

  test("that commits before the fence keeps everything", async () => {
    const { fixture, disk, write } = await openDisk("quicker");
    write(0, 100, 200);
    const sessionId = await killedBackup(fixture, disk);
    await fixture.clock.advance(2 * dayMs);
    const plan = await planPrune(keeperOf(fixture), eager, call);
    expect(plan.fences.map((fence) => fence.session)).toEqual([sessionId]);
    await backUp(fixture, { source: disk.source(), sessionId });
    const summary = await executePrune(keeperOf(fixture), plan, call);
    expect(summary.notFenced).toEqual([sessionId]);
    expect(firstDifference(await restore(fixture, sessionId), disk.copy())).toBeUndefined();
  });

  test("is fenced at once when whoever started it disowns it", async () => {
    const { fixture, disk, write } = await openDisk("disowned");
    write(0, 100);
    const sessionId = await killedBackup(fixture, disk);
    expect((await prune(fixture, { ...eager, disowned: [sessionId] })).fenced).toEqual([sessionId]);
    expect(namesOf(fixture, "pack", "session")).toEqual([]);
  });
});
