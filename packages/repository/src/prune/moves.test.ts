import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { dayMs } from "@garrison/core/units";
import {
  backUp,
  call,
  firstDifference,
  MemoryDisk,
  openFixture,
  restore,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { eager, end, forkFixture, keeperOf, namesOf, prune } from "../simulation/prune-fixture.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import { executePrune } from "./execute-prune.ts";
import { planPrune } from "./plan-prune.ts";

/** A point whose packs hold five chunks each, of which a later one needs but one. */
async function openThinned(seed: string, blockCount = 30) {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(1100);
  const blocks = Array.from({ length: blockCount }, (_, at) => at * 36);
  for (const block of blocks) disk.write(block, fixture.random, 90_000);
  const points = new Map<string, ReadonlyMap<number, Uint8Array>>();
  const back = async (changed: readonly number[] | undefined, parent?: string) => {
    const source = disk.source(changed);
    const { point } = await backUp(fixture, { source, ...(parent === undefined ? {} : { parent }) });
    points.set(point, disk.copy());
    return point;
  };
  const rewrite = (wanted: (at: number) => boolean) => {
    const changed = blocks.filter((_, at) => wanted(at));
    for (const block of changed) disk.write(block, fixture.random, 90_000);
    return changed;
  };
  const first = await back(undefined);
  const second = await back(
    rewrite((at) => at % 5 !== 0),
    first,
  );
  await end(fixture, first);
  const verify = async (...ids: string[]) => {
    for (const id of ids) {
      const difference = firstDifference(await restore(fixture, id), points.get(id)!);
      expect(difference, id).toBeUndefined();
    }
  };
  return { fixture, disk, back, rewrite, verify, first, second, content: points.get(second)! };
}

const packBytes = (fixture: { objects: ReadonlyMap<string, { bytes: Uint8Array }> }) =>
  [...fixture.objects].reduce(
    (total, [key, { bytes }]) => total + (key.includes("/pack/") ? bytes.length : 0),
    0,
  );

describe("moving", () => {
  test("copies what is needed of thin packs, sealed as it is, and deletes them", async () => {
    const { fixture, first, second, verify } = await openThinned("moved");
    const summary = await prune(fixture);
    expect(namesOf(fixture, `pack/${first}`)).toEqual([]);
    expect(namesOf(fixture, "moved/pack").length).toBeGreaterThanOrEqual(4);
    expect(summary.packsMoved).toBe(namesOf(fixture, "moved").length);
    // 24 chunks of the second point, and the six that were moved.
    expect(packBytes(fixture)).toBeLessThan(31 * 92_000);
    expect(summary.findings).toEqual([]);
    await verify(second);
    expect((await prune(fixture)).plan.moves.candidates).toEqual([]);
    await verify(second);
  });

  test("moves what was moved before under new forwards from where it was first: one hop, always", async () => {
    const { fixture, rewrite, back, second, verify } = await openThinned("twice");
    await prune(fixture);
    const once = namesOf(fixture, "moved/pack");
    const third = await back(
      rewrite((at) => at % 5 !== 0 || at % 10 === 0),
      second,
    );
    await end(fixture, second);
    await prune(fixture, { ...eager, repackBelow: 0.99 });
    const twice = namesOf(fixture, "moved/pack");
    expect(twice.length).toBeGreaterThan(0);
    expect(twice.filter((name) => once.includes(name))).toEqual([]);
    const origins = twice.map((name) => name.split("/").slice(0, 4).join("/"));
    expect(once.map((name) => name.split("/").slice(0, 4).join("/"))).toEqual(
      expect.arrayContaining(origins),
    );
    await verify(third);
    await end(fixture, third);
    await prune(fixture);
    await prune(fixture);
    expect(namesOf(fixture, "pack", "map", "moved", "session")).toEqual([]);
  });

  test("is planned alike in windows of any size, with what was moved before", async () => {
    const { fixture, rewrite, back, second } = await openThinned("windows");
    await prune(fixture);
    await back(
      rewrite((at) => at % 5 !== 0 || at % 10 === 0),
      second,
    );
    await end(fixture, second);
    const plans = [];
    for (const windowPacks of [1, 2, 5, 1000]) {
      const options = { ...eager, repackBelow: 0.99, windowPacks };
      const { packs, kept, forwards, moves } = await planPrune(keeperOf(fixture), options, call);
      plans.push({ packs, kept, forwards, moves });
    }
    expect(plans[3]!.forwards.length + plans[3]!.packs.length).toBeGreaterThan(2);
    expect(plans[3]!.moves.candidates.some((each) => each.isMoved)).toBe(true);
    for (const plan of plans.slice(0, 3)) expect(plan).toEqual(plans[3]);
  });

  test("takes a bounded number of packs a pass, and the next passes the rest", async () => {
    const { fixture, second, verify } = await openThinned("bounded");
    const whole = (await planPrune(keeperOf(fixture), eager, call)).moves.candidates.length;
    const left = [];
    for (let pass = 0; pass < Math.ceil(whole / 2); pass++) {
      const { plan, packsMoved } = await prune(fixture, { ...eager, maxMoves: 2 });
      expect(packsMoved).toBe(plan.moves.candidates.length);
      left.push(plan.moves.later);
    }
    expect(whole).toBeGreaterThan(3);
    expect(left[0]).toBe(whole - 2);
    expect(left.at(-1)).toBe(0);
    await verify(second);
  });

  test("happens only for a gain that is worth it, and not to young packs or to ones that a lock holds", async () => {
    const { fixture } = await openThinned("not worth it");
    const plan = (options: object, dependencies: object = {}) =>
      planPrune(
        { ...keeperOf(fixture), ...dependencies },
        { graceMs: 0, minimumGainBytes: 1, ...options },
        call,
      );
    expect((await plan({})).moves.candidates.length).toBeGreaterThan(0);
    expect((await plan({ minimumGainBytes: 64 * 1024 * 1024 })).moves.candidates).toEqual([]);
    expect((await plan({ repackBelow: 0 })).moves.candidates).toEqual([]);
    expect((await plan({ minimumAgeMs: dayMs })).moves.candidates).toEqual([]);
    const held = await plan({}, { heldUntil: () => fixture.clock.now() + dayMs });
    expect(held.moves.candidates).toEqual([]);
    expect(held.packs).toEqual([]);
    expect(held.records).toEqual([]);
    expect(held.held.length).toBeGreaterThan(0);
  });

  test("a writer that began before goes on with the old addresses", async () => {
    const { fixture, disk, second, verify, rewrite } = await openThinned("running writer");
    const changed = rewrite((at) => at < 3);
    let isMoved = false;
    const store = openFaultyObjectStore(fixture.store, () => undefined);
    const during = {
      ...store,
      async create(...args: Parameters<typeof store.create>) {
        // Behind the handshake, before the first pack.
        if (!isMoved && args[0].includes("/pack/")) {
          isMoved = true;
          expect((await prune(fixture)).packsMoved).toBeGreaterThan(0);
        }
        return store.create(...args);
      },
    };
    const { point } = await backUp(fixture, { source: disk.source(changed), parent: second, store: during });
    expect(isMoved).toBe(true);
    await prune(fixture);
    expect(firstDifference(await restore(fixture, point), disk.copy())).toBeUndefined();
    await verify(second);
  });

  test("of two pruners that move the same packs, one is beaten and the next pass takes what it made", async () => {
    const { fixture, second, verify } = await openThinned("two movers");
    const plans = [];
    for (let pruner = 0; pruner < 2; pruner++) plans.push(await planPrune(keeperOf(fixture), eager, call));
    const moved = [];
    for (const plan of plans) moved.push((await executePrune(keeperOf(fixture), plan, call)).packsMoved);
    expect(moved[0]).toBeGreaterThan(0);
    expect(moved[1]).toBe(0);
    await verify(second);
  });

  test("a mover whose session is fenced deletes nothing, and what it made is reclaimed", async () => {
    const { fixture, second, verify } = await openThinned("fenced mover");
    const before = namesOf(fixture, "pack", "map");
    const store = openFaultyObjectStore(fixture.store, () => undefined);
    const fencing = {
      ...store,
      async create(...args: Parameters<typeof store.create>) {
        if (args[0].includes("/point/") && !args[0].endsWith(second)) {
          const session = args[0].split("/").at(-1)!;
          await prune(fixture, { ...eager, repackBelow: 0, disowned: [session] });
        }
        return store.create(...args);
      },
    };
    const summary = await prune(fixture, eager, fencing);
    expect(summary.packsMoved).toBe(0);
    expect(summary.findings.map((finding) => finding.code)).toEqual(["moves-stopped"]);
    await verify(second);
    await prune(fixture, { ...eager, repackBelow: 0 });
    expect(namesOf(fixture, "moved")).toEqual([]);
    expect(before).toEqual(expect.arrayContaining(namesOf(fixture, "pack", "map")));
    await verify(second);
  });

  test("stops when a point that the plan counted on is gone", async () => {
    const { fixture, second, back, rewrite } = await openThinned("stale plan");
    const plan = await planPrune(keeperOf(fixture), eager, call);
    const third = await back(
      rewrite((at) => at === 1),
      second,
    );
    await end(fixture, second);
    await prune(fixture, { ...eager, repackBelow: 0 });
    const summary = await executePrune(keeperOf(fixture), plan, call);
    expect(summary.packsMoved).toBe(0);
    expect(summary.findings.map((finding) => finding.code)).toEqual(["moves-stopped"]);
    await restore(fixture, third);
  });

  test("reads each page and table a few times, and asks nothing per chunk", async () => {
    const { fixture } = await openThinned("counted");
    const store = openCountingObjectStore(fixture.store);
    const { plan, packsMoved } = await prune(fixture, eager, store);
    expect(plan.moves.candidates.length).toBeGreaterThan(0);
    // Clock, notes of audit and catalogue, then the mover's session, packs, forwards and slot.
    const forwards = namesOf(fixture, "moved");
    const made = forwards.length + new Set(forwards.map((name) => name.split("/").at(-1))).size;
    const { creates, lists, reads, deletes } = store.counts;
    expect({ creates, lists }).toEqual({ creates: 3 + 1 + made + 1, lists: 22 });
    expect(deletes).toBeLessThan(30);
    expect(reads).toBeLessThan(45);
    expect(packsMoved).toBeGreaterThan(0);
  });
});

describe("a pruner that is killed", () => {
  test("at any call leaves every point readable, and two later passes leave nothing over", async () => {
    const { fixture: scene, second, content } = await openThinned("killed", 12);
    const death = new GarrisonError("aborted", "the pruner was killed");
    const undisturbed = forkFixture(scene);
    const counting = openFaultyObjectStore(undisturbed.store, () => undefined);
    await prune(undisturbed, eager, counting);
    for (let pass = 0; pass < 2; pass++) await prune(undisturbed);
    const clean = foldersOf(undisturbed);
    expect(clean).toContain("moved");
    // Killed after a call is killed before the next one.
    for (let at = 1; at <= counting.calls(); at++) await killAt(at);

    async function killAt(at: number): Promise<void> {
      const fixture = forkFixture(scene);
      const verify = async () =>
        expect(firstDifference(await restore(fixture, second), content), `call ${at}`).toBeUndefined();
      const store = openFaultyObjectStore(fixture.store, ({ number }) =>
        number < at ? undefined : { when: "before", error: death },
      );
      await prune(fixture, eager, store).catch((error: unknown) => expect(error).toBe(death));
      expect(store.calls()).toBeGreaterThanOrEqual(at);
      await verify();
      await fixture.clock.advance(2 * dayMs);
      for (let pass = 0; pass < 2; pass++) {
        const { plan } = await prune(fixture);
        expect(plan.findings.filter((finding) => finding.severity === "damage")).toEqual([]);
      }
      await verify();
      expect(foldersOf(fixture), `call ${at}`).toEqual(clean);
    }
  }, 300_000);
});

/** Folder of each object that a pass may delete; slots of dead sessions stay. */
function foldersOf(fixture: Fixture): string[] {
  return namesOf(fixture, "pack", "map", "moved", "session").map((name) => name.split("/")[0]!);
}
