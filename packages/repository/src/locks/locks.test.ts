import { beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "@garrison/core/logger";
import { dayMs } from "@garrison/core/units";
import { isDecisiveName } from "../format/object-names.ts";
import { endPoint } from "../keeper/end-session.ts";
import { listPoints } from "../point/list-points.ts";
import { executePrune } from "../prune/execute-prune.ts";
import { planPrune } from "../prune/plan-prune.ts";
import { executeExpiry } from "../retention/execute-expiry.ts";
import { planExpiry } from "../retention/plan-expiry.ts";
import {
  backUp,
  call,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import { openMemoryObjectStore } from "../store/memory-object-store.ts";
import { openUnshadowedObjectStore } from "../store/unshadowed-object-store.ts";
import { openVersionedMemoryStore, type VersionedMemoryStore } from "../store/versioned-memory-store.ts";
import { executeLockExtension } from "./execute-lock-extension.ts";
import { loadHeldUntil } from "./held-until.ts";
import { loadLockLedger } from "./lock-ledger.ts";
import { planLockExtension } from "./plan-lock-extension.ts";

interface Scene extends Fixture {
  readonly bucket: VersionedMemoryStore;
  readonly disk: MemoryDisk;
  readonly controlPrivateKey: Uint8Array;
  readonly counts: ReturnType<typeof openCountingObjectStore>["counts"];
}

let scene: Scene;

beforeEach(() => {
  const fixture = openFixture("locks");
  const bucket = openVersionedMemoryStore({ clock: fixture.clock, lockMode: "compliance" });
  const counted = openCountingObjectStore(bucket);
  const store = openUnshadowedObjectStore(counted, { isDecisive: isDecisiveName });
  const disk = new MemoryDisk(24);
  for (let index = 0; index < 24; index += 2) disk.write(index, fixture.random, 60_000);
  const controlPrivateKey = fixture.repository.controlPrivateKey(fixtureDomain);
  scene = { ...fixture, store, bucket, disk, controlPrivateKey, counts: counted.counts };
});

const inDays = (days: number) => scene.clock.now() + days * dayMs;

/** Full reads, so that the parent's blocks are reused. */
async function backUpWithPromise(days: number | undefined, parent?: string): Promise<string> {
  const promise = days === undefined ? {} : { promisedUntilMs: inDays(days) };
  const { point } = await backUp(scene, {
    source: scene.disk.source(),
    ...promise,
    ...(parent === undefined ? {} : { parent }),
  });
  return point;
}

const lockOf = (key: string) => scene.bucket.objects.get(key)!.at(-1)!.retention?.untilMs;
const keysLike = (pattern: RegExp) => [...scene.bucket.objects.keys()].filter((key) => pattern.test(key));
const locksOf = (pattern: RegExp) => [...new Set(keysLike(pattern).map(lockOf))];
const extend = async () => {
  const plan = await planLockExtension(scene, call);
  return { plan, summary: await executeLockExtension(scene, plan, call) };
};

describe("a backup with a promise", () => {
  test("locks what it stores until 30 days after, and nothing else", async () => {
    const promisedUntilMs = inDays(90) + 1000;
    await backUpWithPromise(90);
    expect(keysLike(/\/(pack|map)\//).length).toBeGreaterThan(3);
    expect(locksOf(/\/(pack|map|point)\//)).toEqual([promisedUntilMs - 1000 + 30 * dayMs]);
    expect(locksOf(/\/session\//)).toEqual([undefined]);
  });

  test("says in its record what it promises", async () => {
    const until = inDays(90);
    const point = await backUpWithPromise(90);
    const plan = await planLockExtension(scene, call);
    expect(plan.points).toEqual([
      expect.objectContaining({ session: point, promisedUntilMs: until, heldUntilMs: until + 30 * dayMs }),
    ]);
    expect(plan.extensions).toEqual([]);
  });

  test("is a backup like any other where there are no locks", async () => {
    const store = openMemoryObjectStore(scene.clock);
    const { point } = await backUp(
      { ...scene, store },
      { source: scene.disk.source(), promisedUntilMs: inDays(5) },
    );
    await expect(planLockExtension({ ...scene, store }, call)).rejects.toMatchObject({
      code: "locks-unsupported",
    });
    expect((await loadHeldUntil({ ...scene, store }, call))(point)).toBeUndefined();
  });
});

describe("an extension", () => {
  test("prolongs what a later promise reuses, one call an object, and then nothing until it is due", async () => {
    const first = await backUpWithPromise(40);
    await scene.clock.advance(20 * dayMs);
    scene.disk.write(0, scene.random, 60_000);
    const second = await backUpWithPromise(60, first);
    const { plan } = await extend();
    expect(plan.extensions.map((each) => each.session)).toEqual([first]);
    const reused = keysLike(new RegExp(`/(pack|map)/${first}/`)).filter((key) => lockOf(key)! >= inDays(89));
    expect(reused.length).toBeGreaterThan(3);
    expect(plan.points.find((point) => point.session === second)!.heldUntilMs).toBeLessThan(inDays(60));
    const held = (await planLockExtension(scene, call)).points;
    expect(held.every((point) => point.heldUntilMs >= point.promisedUntilMs)).toBe(true);
    const before = scene.counts.locks;
    await extend();
    expect(scene.counts.locks).toBe(before);
  });

  test("of daily points costs a call for each pack about once a month", async () => {
    let parent = await backUpWithPromise(90);
    await extend();
    const packs = keysLike(/\/(pack|map)\//).length;
    let prolonged = 0;
    for (let day = 1; day <= 60; day++) {
      await scene.clock.advance(dayMs);
      parent = await backUpWithPromise(90, parent);
      prolonged += (await extend()).summary.locksProlonged;
    }
    expect(prolonged).toBeGreaterThanOrEqual(packs);
    expect(prolonged).toBeLessThanOrEqual(3 * (packs + 2));
  }, 300_000);

  test("is worked out again from the objects when the ledger is lost", async () => {
    const first = await backUpWithPromise(40);
    const until = inDays(60) + 1000;
    await backUpWithPromise(60, first);
    await extend();
    for (const key of keysLike(/\/note\/locks\//)) scene.bucket.objects.delete(key);
    const plan = await planLockExtension(scene, call);
    expect(plan.locksRead).toBeGreaterThan(3);
    expect(plan.extensions).toEqual([]);
    expect(Math.min(...plan.points.map((point) => point.heldUntilMs))).toBeGreaterThanOrEqual(until - 1000);
  });

  test("finds a pack that was never locked, and locks it", async () => {
    await backUpWithPromise(40);
    const [pack] = keysLike(/\/pack\//);
    delete scene.bucket.objects.get(pack!)![0]!.retention;
    const { plan } = await extend();
    expect(plan.points[0]!.heldUntilMs).toBe(0);
    expect(lockOf(pack!)).toBeGreaterThan(inDays(60));
  });

  test("doesn't trust a ledger about a pack that no promise had reached before", async () => {
    const old = await backUpWithPromise(undefined);
    const before = scene.disk.source();
    for (let index = 2; index < 24; index += 2) scene.disk.write(index, scene.random, 60_000);
    const first = await backUpWithPromise(300, old);
    await extend();
    const packs = keysLike(new RegExp(`/pack/${old}/`));
    expect(packs.filter((key) => lockOf(key) === undefined).length).toBeGreaterThan(0);
    const { point } = await backUp(scene, { source: before, parent: old, promisedUntilMs: inDays(40) });
    await extend();
    expect(packs.filter((key) => lockOf(key) === undefined)).toEqual([]);
    const held = (await planLockExtension(scene, call)).points;
    expect(held.map((each) => each.session)).toEqual([first, point]);
    expect(held.every((each) => each.heldUntilMs >= each.promisedUntilMs)).toBe(true);
  });

  test("never makes a date sink", async () => {
    await backUpWithPromise(200);
    const before = new Map(keysLike(/./).map((key) => [key, lockOf(key) ?? 0]));
    const plan = await planLockExtension(scene, call);
    await executeLockExtension(scene, plan, call);
    const early = plan.ledger.sessions.keys().next().value!;
    const packs = plan.ledger.sessions.get(early)!.held!.packs;
    const stale = { session: early, promisedUntilMs: 0, untilMs: inDays(1), packs, records: [] };
    await executeLockExtension(scene, { ...plan, extensions: [stale] }, call);
    for (const [key, untilMs] of before) expect(lockOf(key) ?? 0, key).toBeGreaterThanOrEqual(untilMs);
  });

  test("keeps one ledger and the one before", async () => {
    let parent = await backUpWithPromise(10);
    for (let turn = 0; turn < 4; turn++) {
      await scene.clock.advance(40 * dayMs);
      parent = await backUpWithPromise(10, parent);
      await extend();
    }
    expect((await loadLockLedger(scene, call)).notes).toHaveLength(2);
  });
});

describe("the end of a point", () => {
  const promised = (point: string) => endPoint(scene, { series: "disk", sessionId: point }, call);
  const tombstones = () => keysLike(/\/end\//);

  test("is refused until the date that it promised, and named", async () => {
    const point = await backUpWithPromise(40);
    const until = new Date(inDays(40) - 1000).toISOString();
    await scene.clock.advance(39 * dayMs);
    await expect(promised(point)).rejects.toMatchObject({
      code: "point-promised",
      message: `restore point ${point} is held until ${until}: that was promised`,
    });
    expect(tombstones()).toEqual([]);
    await scene.clock.advance(dayMs);
    await promised(point);
    expect(tombstones()).toHaveLength(1);
  });

  test("does not come early by a keeper's clock that is ahead of the store's", async () => {
    const point = await backUpWithPromise(40);
    const ahead = { now: () => scene.clock.now() + 50 * dayMs, sleep: scene.clock.sleep };
    const ending = endPoint({ ...scene, clock: ahead }, { series: "disk", sessionId: point }, call);
    await expect(ending).rejects.toMatchObject({ code: "point-promised" });
    expect(tombstones()).toEqual([]);
  });

  test("is refused while a point's record can't be read, since nobody knows what it promises", async () => {
    const point = await backUpWithPromise(40);
    const [record] = keysLike(/\/point\//);
    const [version] = scene.bucket.objects.get(record!)!;
    version!.bytes![40]! ^= 1;
    await expect(promised(point)).rejects.toMatchObject({ code: "object-damaged" });
    expect(tombstones()).toEqual([]);
  });

  test("by rules is put off until then, and others end", async () => {
    const points = [
      await backUpWithPromise(undefined),
      await backUpWithPromise(40),
      await backUpWithPromise(undefined),
    ];
    const expire = async () => {
      const plan = planExpiry(await listPoints(scene, {}, call), { last: 1 }, scene.clock.now());
      return { plan, ended: await executeExpiry(scene, plan, call) };
    };
    const early = await expire();
    expect(early.ended).toEqual([points[0]]);
    const held = early.plan.decisions.find((decision) => decision.sessionId === points[1]);
    expect(held).toMatchObject({
      outcome: "hold",
      reasons: ["no rule keeps it", "held until 2026-02-10T00:00: that was promised"],
    });
    await scene.clock.advance(41 * dayMs);
    expect((await expire()).ended).toEqual([points[1]]);
  });

  test("that an early plan foresaw is left for later, when the store's clock says that the promise isn't over", async () => {
    const point = await backUpWithPromise(40);
    const next = await backUpWithPromise(undefined);
    const plan = planExpiry(await listPoints(scene, {}, call), { last: 1 }, inDays(50));
    expect(plan.decisions.map(({ sessionId, outcome }) => [sessionId, outcome])).toEqual([
      [next, "keep"],
      [point, "end"],
    ]);
    expect(await executeExpiry(scene, plan, call)).toEqual([]);
    expect(tombstones()).toEqual([]);
  });
});

describe("a prune", () => {
  const prune = async () => {
    const pruner = { ...scene, logger: silentLogger, heldUntil: await loadHeldUntil(scene, call) };
    const plan = await planPrune(pruner, { graceMs: 0, repackBelow: 0 }, call);
    return { plan, summary: await executePrune(pruner, plan, call) };
  };

  test("doesn't try what a lock holds, says until when, and frees it afterwards for good", async () => {
    const point = await backUpWithPromise(40);
    const madeAtMs = inDays(0);
    await scene.clock.advance(41 * dayMs);
    await endPoint(scene, { series: "disk", sessionId: point }, call);
    await scene.clock.advance(dayMs);
    const early = await prune();
    expect(early.plan.held).toEqual([
      expect.objectContaining({ session: point, untilMs: madeAtMs + 70 * dayMs - 1000 }),
    ]);
    expect(early.plan.packs).toEqual([]);
    expect(early.summary.refused).toEqual([]);
    await scene.clock.advance(29 * dayMs);
    const late = await prune();
    expect(late.summary.packsDeleted).toBeGreaterThan(3);
    expect(keysLike(/\/(pack|map|point)\//)).toEqual([]);
  });

  test("reports what the store refuses although the ledger didn't know", async () => {
    const point = await backUpWithPromise(undefined);
    const pruner = { ...scene, logger: silentLogger };
    await endPoint(scene, { series: "disk", sessionId: point }, call);
    const [pack] = keysLike(/\/pack\//);
    scene.bucket.objects.get(pack!)![0]!.retention = { mode: "compliance", untilMs: inDays(5) };
    await scene.clock.advance(dayMs);
    const plan = await planPrune(pruner, { graceMs: 0, repackBelow: 0 }, call);
    expect((await executePrune(pruner, plan, call)).refused).toEqual([pack]);
    expect(keysLike(/\/pack\//)).toEqual([pack]);
  });
});
