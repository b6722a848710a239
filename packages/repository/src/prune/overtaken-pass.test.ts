import { expect, test } from "vitest";
import { fenceSession } from "../keeper/end-session.ts";
import {
  backUp,
  call,
  firstDifference,
  MemoryDisk,
  openFixture,
  restore,
} from "../simulation/engine-fixture.ts";
import { eager, end, keeperOf, prune } from "../simulation/prune-fixture.ts";
import { executePrune } from "./execute-prune.ts";
import { planPrune } from "./plan-prune.ts";

const overtakings = [
  { sequel: "", meanwhile: "nothing" },
  { sequel: ", though a third pass took it for a session that never ended", meanwhile: "fenced" },
  { sequel: ", though a lane of it that slept has put a record into its place", meanwhile: "committed" },
];

test.each(overtakings)(
  "a pass whose root was reclaimed while it slept deletes nothing that a later session took from that root$sequel",
  async ({ meanwhile }) => {
    const fixture = openFixture("overtaken");
    const { clock, random, store } = fixture;
    const disk = new MemoryDisk(700);
    for (const block of [0, 100, 600]) disk.write(block, random, 90_000);
    const { point: base } = await backUp(fixture, { source: disk.source() });
    let later: string | undefined;
    const sleepy = {
      ...store,
      // Between the survey of sessions and the reading of tables: a session begins and commits, its base ends and goes.
      async *list(prefix: string, listing: typeof call) {
        if (prefix.includes("/moved/") && later === undefined) {
          disk.write(100, random, 90_000);
          later = (await backUp(fixture, { source: disk.source([100]), parent: base })).point;
          await end(fixture, base);
          await clock.advance(5000);
          await prune(fixture);
          if (meanwhile === "committed") await backUp(fixture, { source: disk.source(), sessionId: base });
          if (meanwhile === "fenced")
            await fenceSession(keeperOf(fixture), { series: "disk", sessionId: base }, call);
        }
        yield* store.list(prefix, listing);
      },
    };
    const pruner = keeperOf(fixture, sleepy);
    const plan = await planPrune(pruner, eager, call);
    await executePrune(pruner, plan, call);
    expect(firstDifference(await restore(fixture, later!), disk.blocks)).toBeUndefined();
    expect(plan.findings).toMatchObject([{ severity: "notice", code: "session-unsettled", point: base }]);
  },
);

const sleeps = [
  { when: "between listing a slot and reading it", isListed: true },
  { when: "within a listing of many pages, behind the place of a later session", isListed: false },
];

test.each(sleeps)("a pass that slept $when deletes nothing that the session holds", async ({ isListed }) => {
  const fixture = openFixture("slept in its survey");
  const { clock, random, store } = fixture;
  const disk = new MemoryDisk(700);
  for (const block of [0, 100, 600]) disk.write(block, random, 90_000);
  const { point: first } = await backUp(fixture, { source: disk.source() });
  disk.write(100, random, 90_000);
  const { point: base } = await backUp(fixture, { source: disk.source([100]), parent: first });
  await end(fixture, first);
  let later: string | undefined;
  const sleep = async () => {
    if (later !== undefined) return;
    disk.write(600, random, 90_000);
    later = (await backUp(fixture, { source: disk.source([600]), parent: base })).point;
    await end(fixture, base);
    await clock.advance(5000);
    await prune(fixture);
  };
  const sleepy: typeof store = {
    ...store,
    async read(key, reading) {
      if (isListed && key.includes("/point/")) await sleep();
      return store.read(key, reading);
    },
    async *list(prefix, listing) {
      const isSurvey = !isListed && prefix.endsWith("/point/");
      if (isSurvey) await sleep();
      for await (const object of store.list(prefix, listing)) {
        if (!isSurvey || !object.key.endsWith(later!)) yield object;
      }
    },
  };
  const pruner = keeperOf(fixture, sleepy);
  const plan = await planPrune(pruner, eager, call);
  await executePrune(pruner, plan, call);
  expect(firstDifference(await restore(fixture, later!), disk.blocks)).toBeUndefined();
  expect(plan.findings).toMatchObject([{ severity: "notice", code: "session-unsettled", point: base }]);
});

test("a pass that slept in its survey deletes nothing that a session took from a base which ended before it began", async () => {
  const fixture = openFixture("slept beside a session");
  const { clock, random, store } = fixture;
  const disk = new MemoryDisk(700);
  for (const block of [0, 100, 600]) disk.write(block, random, 90_000);
  const { point: base } = await backUp(fixture, { source: disk.source() });
  disk.write(100, random, 90_000);
  const asleep = Promise.withResolvers<void>();
  const awake = Promise.withResolvers<void>();
  const sleepy: typeof store = {
    ...store,
    async read(key, reading) {
      if (key.includes("/point/")) {
        asleep.resolve();
        await awake.promise;
      }
      return store.read(key, reading);
    },
  };
  const pruner = keeperOf(fixture, sleepy);
  let planning: ReturnType<typeof planPrune> | undefined;
  const slow: typeof store = {
    ...store,
    async create(key, bytes, creating) {
      if (key.includes("/point/")) {
        await end(fixture, base);
        planning = planPrune(pruner, eager, call);
        await asleep.promise;
      }
      return store.create(key, bytes, creating);
    },
  };
  const later = await backUp(fixture, { source: disk.source([100]), parent: base, store: slow });
  await clock.advance(5000);
  await prune(fixture);
  awake.resolve();
  const plan = await planning!;
  await executePrune(pruner, plan, call);
  expect(firstDifference(await restore(fixture, later.point), disk.blocks)).toBeUndefined();
  expect(plan.findings).toMatchObject([{ severity: "notice", code: "session-unsettled", point: base }]);
});

test("a point that was committed behind the listing, and that a later record saw, has not vanished", async () => {
  const fixture = openFixture("behind");
  const { random, store } = fixture;
  const disk = new MemoryDisk(40);
  disk.write(0, random);
  const { point: behind } = await backUp(fixture, { source: disk.source() });
  await backUp(fixture, { source: disk.source(), parent: behind });
  const passed = {
    ...store,
    async *list(prefix: string, listing: typeof call) {
      for await (const object of store.list(prefix, listing)) {
        const isPassed = prefix.endsWith("/point/") && object.key.endsWith(behind);
        if (!isPassed) yield object;
      }
    },
  };
  const plan = await planPrune(keeperOf(fixture, passed), eager, call);
  expect(plan.vanished).toEqual([]);
});

/** A point of three blocks, and a later one that has taken two of them over. */
async function openTakenOver(seed: string) {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(700);
  for (const block of [0, 100, 600]) disk.write(block, fixture.random, 90_000);
  const first = await backUp(fixture, { source: disk.source() });
  disk.write(100, fixture.random, 90_000);
  const later = await backUp(fixture, { source: disk.source([100]), parent: first.point });
  const verify = async () =>
    expect(firstDifference(await restore(fixture, later.point), disk.blocks)).toBeUndefined();
  return { fixture, first: first.point, verify };
}

test("a point that another pass reclaims between two listings, within our grace, is no session to be fenced", async () => {
  const { fixture, first, verify } = await openTakenOver("reclaimed within grace");
  await end(fixture, first);
  let isReclaimed = false;
  const slow = {
    ...fixture.store,
    // Its tombstone and its `open` have been listed by now, its record not yet.
    async *list(prefix: string, listing: typeof call) {
      if (prefix.endsWith("/point/") && !isReclaimed) {
        isReclaimed = true;
        await fixture.clock.advance(5000);
        await prune(fixture);
      }
      yield* fixture.store.list(prefix, listing);
    },
  };
  await fixture.clock.advance(60_000);
  const { plan } = await prune(fixture, { ...eager, graceMs: 3_600_000, staleMs: 10_000 }, slow);
  expect(isReclaimed).toBe(true);
  expect(plan.fences).toEqual([]);
  await verify();
});

test("a fence that comes after its session was committed, ended and reclaimed deletes nothing", async () => {
  const { fixture, first, verify } = await openTakenOver("fence too late");
  let isReclaimed = false;
  const slow = {
    ...fixture.store,
    // Tombstones and `open` have been listed by now: the session looks as if it had never ended.
    async *list(prefix: string, listing: typeof call) {
      if (prefix.endsWith("/point/") && !isReclaimed) {
        isReclaimed = true;
        await end(fixture, first);
        await fixture.clock.advance(5000);
        await prune(fixture);
      }
      yield* fixture.store.list(prefix, listing);
    },
  };
  await fixture.clock.advance(60_000);
  const { plan, fenced, notFenced } = await prune(fixture, { ...eager, staleMs: 10_000 }, slow);
  expect(plan.fences.map((fence) => fence.session)).toEqual([first]);
  expect({ fenced, notFenced }).toEqual({ fenced: [], notFenced: [first] });
  await verify();
  for (let pass = 0; pass < 2; pass++) await prune(fixture);
  await verify();
});
