import { expect, test } from "vitest";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { listPoints } from "../point/list-points.ts";
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
import { eager, end, forkFixture, interruptedStore, keeperOf, prune } from "../simulation/prune-fixture.ts";
import { executePrune } from "./execute-prune.ts";
import { planPrune } from "./plan-prune.ts";

/**
 * Why nothing reachable is lost, argument by argument: each test lets one party stop before each of its store calls in
 * turn, the other do all it can meanwhile, and then reads every point that is listed.
 */
interface Scene {
  readonly fixture: Fixture;
  readonly disk: MemoryDisk;
  readonly base: string;
  /** Changed since the base. */
  readonly changed: readonly number[];
  /** Of the next session. It is drawn early: everything then happens within one second of the store's clock. */
  readonly sessionId: string;
  readonly contents: Map<string, ReadonlyMap<number, Uint8Array>>;
}

const eachOther = { ...eager, repackBelow: 0.8 };

async function openScene(seed: string): Promise<Scene> {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(560);
  const write = (...blocks: number[]) => blocks.forEach((block) => disk.write(block, fixture.random, 90_000));
  const contents = new Map<string, ReadonlyMap<number, Uint8Array>>();
  write(0, 1, 2, 3, 4, 5, 520, 521);
  const first = await backUp(fixture, { source: disk.source() });
  write(0, 1, 2, 3);
  const { point: base } = await backUp(fixture, { source: disk.source([0, 1, 2, 3]), parent: first.point });
  contents.set(base, disk.copy());
  await end(fixture, first.point);
  write(2, 520);
  const sessionId = await drawSession(fixture);
  return { fixture, disk, base, changed: [2, 520], sessionId, contents };
}

const fork = (scene: Scene): Scene => ({
  ...scene,
  fixture: forkFixture(scene.fixture),
  contents: new Map(scene.contents),
});

/** Backs up onto the base. Nothing, if the base could not be used: that is an answer, a loss is not. */
async function backUpOnto(scene: Scene, store = scene.fixture.store): Promise<string | undefined> {
  const { fixture, disk, changed, base, contents, sessionId } = scene;
  try {
    await backUp(fixture, { source: disk.source(changed), parent: base, sessionId, store });
    contents.set(sessionId, disk.copy());
    return sessionId;
  } catch (error) {
    if (isGarrisonError(error, "parent-unusable")) return undefined;
    throw error;
  }
}

async function verify(scene: Scene, what: string): Promise<void> {
  const listed = await listPoints(scene.fixture, {}, call);
  for (const { sessionId } of listed) {
    const content = scene.contents.get(sessionId);
    if (content === undefined) continue;
    expect(firstDifference(await restore(scene.fixture, sessionId), content), what).toBeUndefined();
  }
}

async function countCalls(
  run: (store: Scene["fixture"]["store"]) => Promise<unknown>,
  scene: Scene,
): Promise<number> {
  const store = interruptedStore(scene.fixture.store, { at: 0, run: async () => undefined });
  await run(store);
  return store.calls();
}

test("a base may end and be reclaimed before any call of a writer: its point is whole, or it drops the base", async () => {
  const scene = await openScene("writer interrupted");
  const counted = fork(scene);
  const calls = await countCalls((store) => backUpOnto(counted, store), counted);
  let committed = 0;
  for (let at = 1; at <= calls; at++) {
    const one = fork(scene);
    const run = async () => {
      await end(one.fixture, one.base);
      await prune(one.fixture, eachOther);
    };
    if ((await backUpOnto(one, interruptedStore(one.fixture.store, { at, run }))) !== undefined) committed++;
    await verify(one, `writer stopped at ${at}`);
    for (let pass = 0; pass < 2; pass++) await prune(one.fixture, eachOther);
    await verify(one, `writer stopped at ${at}, and later passes`);
  }
  expect(committed).toBeGreaterThan(calls / 2);
  expect(committed).toBeLessThan(calls);
}, 300_000);

test("a writer may begin, commit and lose its base before any call of a pass", async () => {
  const scene = await openScene("pruner interrupted");
  const counted = fork(scene);
  const calls = await countCalls((store) => prune(counted.fixture, eachOther, store), counted);
  for (let at = 1; at <= calls; at++) {
    const one = fork(scene);
    const run = async () => {
      expect(await backUpOnto(one)).toBeDefined();
      await end(one.fixture, one.base);
    };
    await prune(one.fixture, eachOther, interruptedStore(one.fixture.store, { at, run }));
    await verify(one, `pruner stopped at ${at}`);
    await prune(one.fixture, eachOther);
    await verify(one, `pruner stopped at ${at}, and a later pass`);
  }
}, 300_000);

test("a writer may begin before any call of a pass, lose its base, and commit when the pass is over", async () => {
  const scene = await openScene("writer across");
  const counted = fork(scene);
  const calls = await countCalls((store) => prune(counted.fixture, eachOther, store), counted);
  const handshake = await callsUntilFirstPack(fork(scene));
  let committed = 0;
  for (let at = 1; at <= calls; at++) {
    const one = fork(scene);
    const [held, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const pause = async () => {
      held.resolve();
      await finish.promise;
    };
    let writing: Promise<string | undefined> | undefined;
    const run = async () => {
      writing = backUpOnto(one, interruptedStore(one.fixture.store, { at: handshake, run: pause }));
      await Promise.race([held.promise, writing]);
      await end(one.fixture, one.base);
    };
    await prune(one.fixture, eachOther, interruptedStore(one.fixture.store, { at, run }));
    finish.resolve();
    if ((await writing!) !== undefined) committed++;
    await verify(one, `pruner stopped at ${at}`);
    await prune(one.fixture, eachOther);
    await verify(one, `pruner stopped at ${at}, and a later pass`);
  }
  expect(committed).toBe(calls);
}, 300_000);

async function callsUntilFirstPack(scene: Scene): Promise<number> {
  let first = 0;
  const store = interruptedStore(scene.fixture.store, { at: 0, run: async () => undefined });
  const watching = {
    ...store,
    create: async (...args: Parameters<typeof store.create>) => {
      if (first === 0 && args[0].includes("/pack/")) first = store.calls() + 1;
      return store.create(...args);
    },
  };
  await backUpOnto(scene, watching);
  return first;
}

test("a second pruner may do a whole pass before any call of the first", async () => {
  const scene = await openScene("two pruners");
  const counted = fork(scene);
  const calls = await countCalls((store) => prune(counted.fixture, eachOther, store), counted);
  for (let at = 1; at <= calls; at++) {
    const one = fork(scene);
    const run = async () => void (await prune(one.fixture, eachOther));
    const { plan, findings } = await prune(
      one.fixture,
      eachOther,
      interruptedStore(one.fixture.store, { at, run }),
    );
    const damage = [...plan.findings, ...findings].filter((finding) => finding.severity === "damage");
    expect(damage, `first stopped at ${at}`).toEqual([]);
    await verify(one, `first stopped at ${at}`);
  }
}, 300_000);

test("a plan that is executed long after it was made, and twice, deletes only what is dead", async () => {
  const scene = await openScene("stale plan");
  const { fixture, disk, base, contents } = scene;
  const plan = await planPrune(keeperOf(fixture), eachOther, call);
  const second = await backUpOnto(scene);
  await end(fixture, base);
  disk.write(3, fixture.random, 90_000);
  const { point } = await backUp(fixture, { source: disk.source([3]), parent: second! });
  contents.set(point, disk.copy());
  await prune(fixture, eachOther);
  await end(fixture, second!);
  for (let times = 0; times < 2; times++) {
    await executePrune(keeperOf(fixture), plan, call);
    await verify(scene, `executed ${times + 1} times`);
    await prune(fixture, eachOther);
    await verify(scene, `executed ${times + 1} times, and another pass`);
  }
  expect(await listPoints(fixture, {}, call)).toHaveLength(1);
});
