import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { maxLaterBases } from "../backup/session-bases.ts";
import { checkRepository } from "../check/check-repository.ts";
import { isHookId } from "../format/hooks.ts";
import { chunkId } from "../format/item-identity.ts";
import { endPoint } from "../keeper/end-session.ts";
import { readRecord, sessionsOfPoint } from "../point/read-point.ts";
import {
  backUp,
  call,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  restore,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import type { ObjectStore } from "../store/object-store.ts";

const limits = { packBytes: 128 * 1024, packsPerMark: 16, leavesPerMark: 64 };
const systemBlocks = 150;

/** A disk with an operating system of 150 blocks that compress to next to nothing. */
function systemDisk(fixture: Fixture): MemoryDisk {
  const disk = new MemoryDisk(4000);
  for (let index = 0; index < systemBlocks; index++) disk.write(index, fixture.random, 40);
  // What comes before the first hook is stored again: 64 blocks on the average, and here few.
  writeHook(disk, 8, fixture);
  return disk;
}

/** Writes a block whose id is a hook. */
function writeHook(disk: MemoryDisk, index: number, fixture: Fixture): void {
  const isHook = () =>
    isHookId(chunkId(fixture.keys.idKey, hash("sha256", disk.blocks.get(index)!, "buffer")));
  do disk.write(index, fixture.random, 40);
  while (!isHook());
}

/** Another disk with the same blocks, so many places further on, and some of its own behind them. */
function cloneOf(disk: MemoryDisk, fixture: Fixture, shift = 0): MemoryDisk {
  const clone = new MemoryDisk(4000);
  for (const [index, bytes] of disk.blocks) clone.put(index + shift, bytes);
  for (let index = 3000; index < 3020; index++) clone.write(index, fixture.random, 40);
  return clone;
}

function back(fixture: Fixture, backup: Omit<Parameters<typeof backUp>[1], "limits">) {
  return backUp(fixture, { ...backup, limits: { ...smallLimits, ...limits } });
}

interface Seen {
  readonly method: string;
  readonly key: string;
}

/** Notes each call that reaches the store. */
function watch(store: ObjectStore): ObjectStore & { readonly calls: readonly Seen[] } {
  const calls: Seen[] = [];
  const watched = openFaultyObjectStore(store, ({ method, key }) => {
    calls.push({ method, key });
    return undefined;
  });
  return { ...watched, calls };
}

async function findings(fixture: Fixture) {
  const found = [];
  const plan = { level: "full", domain: fixtureDomain, threads: 0 } as const;
  for await (const finding of checkRepository(fixture, plan, call)) found.push(finding);
  return found;
}

function keeper(fixture: Fixture) {
  return { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
}

describe("a first backup of a disk that descends from another one", () => {
  test.each([0, 2])("stores little more than its own blocks (%i threads)", async (threads) => {
    const fixture = openFixture("clone");
    const disk = systemDisk(fixture);
    const original = await back(fixture, { source: disk.source() });
    const clone = cloneOf(disk, fixture);
    const { point, volumes } = await back(fixture, { source: clone.source(), series: "clone", threads });
    expect(volumes[0]).toMatchObject({ blocksListed: 170, blocksRead: 170 });
    expect(volumes[0]!.blocksStored).toBeLessThan(20 + 16);
    expect(firstDifference(await restore(fixture, point, { series: "clone" }), clone.blocks)).toBeUndefined();
    const address = { series: "clone", sessionId: point };
    const { bases } = await readRecord(fixture, address, call);
    expect(bases.map((base) => base.session)).toEqual([original.point]);
    const sessions = (await sessionsOfPoint(fixture, address, call)).map(({ sessionId }) => sessionId);
    expect(sessions).toEqual([original.point, point]);
    expect(await findings(fixture)).toEqual([]);
  });

  test("finds what moved as a whole", async () => {
    const fixture = openFixture("moved");
    const disk = systemDisk(fixture);
    await back(fixture, { source: disk.source() });
    const clone = cloneOf(disk, fixture, 717);
    const { point, volumes } = await back(fixture, { source: clone.source(), series: "clone" });
    expect(volumes[0]!.blocksStored).toBeLessThan(20 + 16);
    expect(firstDifference(await restore(fixture, point, { series: "clone" }), clone.blocks)).toBeUndefined();
  });

  test("restores after the point that it took the blocks from has ended", async () => {
    const fixture = openFixture("outlives");
    const disk = systemDisk(fixture);
    const original = await back(fixture, { source: disk.source() });
    const { point } = await back(fixture, { source: disk.source(), series: "clone" });
    await endPoint(keeper(fixture), { series: "disk", sessionId: original.point }, call);
    expect(firstDifference(await restore(fixture, point, { series: "clone" }), disk.blocks)).toBeUndefined();
  });

  test("is a base for a third one and for its own changes", async () => {
    const fixture = openFixture("chain");
    const disk = systemDisk(fixture);
    await back(fixture, { source: disk.source() });
    const clone = cloneOf(disk, fixture);
    const first = await back(fixture, { source: clone.source(), series: "clone" });
    clone.write(7, fixture.random, 40);
    const second = await back(fixture, { source: clone.source([7]), series: "clone", parent: first.point });
    expect(second.volumes[0]).toMatchObject({ blocksStored: 1 });
    const third = await back(fixture, { source: clone.source(), series: "third" });
    expect(third.volumes[0]!.blocksStored).toBeLessThan(16);
    for (const [series, { point }] of [
      ["clone", second],
      ["third", third],
    ] as const)
      expect(firstDifference(await restore(fixture, point, { series }), clone.blocks)).toBeUndefined();
    expect(await findings(fixture)).toEqual([]);
  });

  test("prefers the points that the plan names", async () => {
    const fixture = openFixture("named");
    const disk = systemDisk(fixture);
    const named = await back(fixture, { source: disk.source(), series: "a" });
    // The newer one holds the same blocks and would be taken first.
    await back(fixture, { source: disk.source(), series: "b" });
    const lookAlikes = [{ series: "a", sessionId: named.point }];
    const { point } = await back(fixture, { source: disk.source(), series: "c", lookAlikes });
    const { bases } = await readRecord(fixture, { series: "c", sessionId: point }, call);
    expect(bases.map((base) => base.session)).toEqual([named.point]);
  });
});

describe("the handshake with a base that is added", () => {
  test("comes after the base is stored, looks for the tombstone, then for the record", async () => {
    const fixture = openFixture("order");
    const disk = systemDisk(fixture);
    const { point } = await back(fixture, { source: disk.source() });
    const store = watch(fixture.store);
    await back(fixture, { source: disk.source(), series: "clone", store });
    const at = (method: string, part: string, from: number) =>
      store.calls.findIndex(
        (made, number) => number > from && made.method === method && made.key.includes(part),
      );
    const stored = at("create", "/base-00000000", 0);
    const tombstone = at("list", "/end/", stored);
    const record = at("read", `/${point}`, tombstone);
    expect(stored).toBeGreaterThan(0);
    expect(tombstone).toBeGreaterThan(stored);
    expect(store.calls[record]!.key).toContain("/point/");
    // Nothing that could refer to the base is stored before.
    const before = store.calls.slice(0, record).filter(({ method }) => method === "create");
    expect(before.filter(({ key }) => key.includes("/map/") || key.includes("/mark-"))).toEqual([]);
  });

  test("fails when the point ends in between: nothing of it is used", async () => {
    const fixture = openFixture("ends");
    const disk = systemDisk(fixture);
    const { point } = await back(fixture, { source: disk.source() });
    let isEnded = false;
    const store: ObjectStore = {
      ...fixture.store,
      create: async (key, bytes, options) => {
        if (key.includes("/base-")) {
          isEnded = true;
          await endPoint(keeper(fixture), { series: "disk", sessionId: point }, call);
        }
        return fixture.store.create(key, bytes, options);
      },
    };
    const second = await back(fixture, { source: disk.source(), series: "clone", store });
    expect(isEnded).toBe(true);
    expect(second.volumes[0]).toMatchObject({ blocksStored: systemBlocks, blocksReused: 0 });
    const { bases } = await readRecord(fixture, { series: "clone", sessionId: second.point }, call);
    expect(bases).toEqual([]);
  });

  test("is made with 16 points at most", async () => {
    const fixture = openFixture("many");
    const whole = new MemoryDisk(512);
    for (let part = 0; part < 20; part++) {
      const disk = new MemoryDisk(512);
      writeHook(disk, part, fixture);
      whole.put(part, disk.blocks.get(part)!);
      await back(fixture, { source: disk.source(), series: `part ${part}` });
    }
    const { point } = await back(fixture, { source: whole.source(), series: "whole" });
    const { bases } = await readRecord(fixture, { series: "whole", sessionId: point }, call);
    expect(bases).toHaveLength(maxLaterBases);
    expect(firstDifference(await restore(fixture, point, { series: "whole" }), whole.blocks)).toBeUndefined();
    expect(await findings(fixture)).toEqual([]);
  });
});

describe("a look-alike that is lost", () => {
  test.each(["missing", "damaged"])("(its pages are %s) is passed over", async (state) => {
    const fixture = openFixture(`lost ${state}`);
    const disk = systemDisk(fixture);
    const { point } = await back(fixture, { source: disk.source() });
    const pages = [...fixture.objects.keys()].filter((key) => key.includes(`/map/${point}/`)).slice(0, -1);
    expect(pages.length).toBeGreaterThan(0);
    for (const key of pages) {
      const object = fixture.objects.get(key)!;
      if (state === "missing") fixture.objects.delete(key);
      else fixture.objects.set(key, { ...object, bytes: object.bytes.map((byte) => byte ^ 1) });
    }
    const second = await back(fixture, { source: disk.source(), series: "clone" });
    expect(second.volumes[0]).toMatchObject({ blocksStored: systemBlocks });
    const restored = await restore(fixture, second.point, { series: "clone" });
    expect(firstDifference(restored, disk.blocks)).toBeUndefined();
  });
});

describe("what similarity costs", () => {
  test("one listing where there is nothing to be like", async () => {
    const fixture = openFixture("alone");
    const store = watch(fixture.store);
    await back(fixture, { source: systemDisk(fixture).source(), store });
    const asked = store.calls.filter(({ method, key }) => method === "list" && key.endsWith("/point/"));
    expect(asked).toHaveLength(1);
    expect(store.calls.filter(({ method }) => method === "read")).toEqual([]);
  });

  test("nothing in an incremental backup", async () => {
    const fixture = openFixture("incremental");
    const disk = systemDisk(fixture);
    await back(fixture, { source: disk.source(), series: "other" });
    const { point } = await back(fixture, { source: disk.source() });
    const store = watch(fixture.store);
    const foreign = new MemoryDisk(4000);
    for (const [index, bytes] of disk.blocks) foreign.put(index, bytes);
    foreign.write(5, fixture.random);
    await back(fixture, { source: foreign.source([5]), parent: point, store });
    expect(store.calls.filter(({ key }) => key.endsWith("/point/") || key.includes("/base-"))).toEqual([]);
  });

  test("64 reads of hooks and a look at the same place in the best 8, whatever the domain holds", async () => {
    const fixture = openFixture("requests");
    const disk = systemDisk(fixture);
    const points: string[] = [];
    for (let number = 0; number < 80; number++) {
      const small = new MemoryDisk(512);
      small.write(0, fixture.random, 40);
      if (number === 70) writeHook(small, 0, fixture);
      points.push((await back(fixture, { source: small.source(), series: `small ${number}` })).point);
    }
    const store = watch(fixture.store);
    await back(fixture, { source: disk.source(), series: "asks", store });
    const reads = (part: string) =>
      store.calls.filter(({ method, key }) => method === "read" && key.includes(part));
    // Of the best 8: an inner page and a leaf.
    expect(reads("/map/")).toHaveLength(64 + 8 * 2);
    expect(reads("/point/")).toHaveLength(64);
    // The newest ones were asked.
    expect(reads("/map/").every(({ key }) => points.slice(16).some((point) => key.includes(point)))).toBe(
      true,
    );
  });
});
