import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { checkRepository } from "../check/check-repository.ts";
import { isHookId } from "../format/hooks.ts";
import { chunkId } from "../format/item-identity.ts";
import { endPoint } from "../keeper/end-session.ts";
import { listPoints } from "../point/list-points.ts";
import { readRecord, sessionsOfPoint } from "../point/read-point.ts";
import {
  backUp,
  call,
  drawSession,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  restore,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openMemoryObjectStore } from "../store/memory-object-store.ts";
import { openFaultyObjectStore, type Fault, type FaultedCall } from "../store/faulty-object-store.ts";

/** Packs of two blocks, and a mark after each leaf. */
const limits = { ...smallLimits, packBytes: 160 * 1024, leavesPerMark: 1 };
const death = new GarrisonError("aborted", "the process was killed");

interface Scene {
  readonly fixture: Fixture;
  readonly disk: MemoryDisk;
  readonly original: string;
}

/** A disk whose even leaves hold what another series holds at the same place, and its odd one blocks of its own. */
async function openScene(): Promise<Scene> {
  const fixture = openFixture("resume similar");
  const [system, disk] = [new MemoryDisk(1500), new MemoryDisk(1500)];
  for (const first of [0, 1024]) {
    writeHook(system, first, fixture);
    system.write(first + 5, fixture.random, 100);
    for (const index of [first, first + 5]) disk.put(index, system.blocks.get(index)!);
  }
  for (const index of [512, 513, 514]) disk.write(index, fixture.random, 80_000);
  const { point } = await backUp(fixture, { source: system.source(), limits });
  return { fixture, disk, original: point };
}

/** The same scene with a repository of its own. */
function copyOf(scene: Scene): Scene {
  const store = openMemoryObjectStore(scene.fixture.clock, new Map(scene.fixture.objects));
  return { ...scene, fixture: { ...scene.fixture, store, objects: store.objects } };
}

function writeHook(disk: MemoryDisk, index: number, fixture: Fixture): void {
  const isHook = () =>
    isHookId(chunkId(fixture.keys.idKey, hash("sha256", disk.blocks.get(index)!, "buffer")));
  do disk.write(index, fixture.random, 100);
  while (!isHook());
}

function diesAt(number: number, when: Fault["when"]) {
  return (made: FaultedCall): Fault | undefined => {
    if (made.number < number) return undefined;
    return { when: made.number === number ? when : "before", error: death };
  };
}

async function expectWhole({ fixture, disk, original }: Scene, point: string): Promise<void> {
  expect(firstDifference(await restore(fixture, point, { series: "clone" }), disk.blocks)).toBeUndefined();
  const address = { series: "clone", sessionId: point };
  const { bases } = await readRecord(fixture, address, call);
  const sessions = (await sessionsOfPoint(fixture, address, call)).map(({ sessionId }) => sessionId);
  expect(sessions).toEqual([original, point]);
  expect(bases.map(({ session }) => session)).toEqual([original]);
  const found = [];
  const plan = { level: "full", domain: fixtureDomain, threads: 0 } as const;
  for await (const finding of checkRepository(fixture, plan, call)) found.push(finding);
  expect(found).toEqual([]);
}

/** Whether the backup went through without meeting its end. */
async function dieAndGoOn(scene: Scene, number: number, when: Fault["when"]): Promise<boolean> {
  const { fixture, disk } = scene;
  const sessionId = await drawSession(fixture);
  const backup = { source: disk.source(), series: "clone", sessionId, limits };
  const dying = openFaultyObjectStore(fixture.store, diesAt(number, when));
  const outcome = await backUp(fixture, { ...backup, store: dying }).catch((error: unknown) => error);
  if (outcome === death) await backUp(fixture, backup);
  else expect(outcome).toMatchObject({ point: sessionId });
  await expectWhole(scene, sessionId);
  return outcome !== death;
}

describe("a backup that adds a base and dies at any call", () => {
  test.each(["before", "after"] as const)("(%s its effect) goes on and ends right", async (when) => {
    const scene = await openScene();
    let number = 1;
    while (!(await dieAndGoOn(copyOf(scene), number, when))) number++;
    expect(number).toBeGreaterThan(20);
  });
});

test("what an earlier lane took from a base stays usable after the base has ended", async () => {
  const scene = await openScene();
  const { fixture, disk, original } = scene;
  const sessionId = await drawSession(fixture);
  const backup = { source: disk.source(), series: "clone", sessionId, limits };
  const dying = openFaultyObjectStore(fixture.store, ({ key, method }) =>
    method === "create" && key.includes("/mark-") && key.endsWith("00000000")
      ? { when: "after", error: death }
      : undefined,
  );
  await expect(backUp(fixture, { ...backup, store: dying })).rejects.toBe(death);
  // The session's name protects it: its record and packs are there until the session ends.
  const control = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
  await endPoint(control, { series: "disk", sessionId: original }, call);
  const { point } = await backUp(fixture, backup);
  expect((await listPoints(fixture, {}, call)).map((each) => each.sessionId)).toEqual([point]);
  await expectWhole(scene, point);
});

test("a base whose record vanished before anything was taken from it is left aside", async () => {
  const { fixture, disk, original } = await openScene();
  const sessionId = await drawSession(fixture);
  const backup = { source: disk.source(), series: "clone", sessionId, limits };
  const dying = openFaultyObjectStore(fixture.store, ({ key, method }) =>
    method === "create" && key.includes("/base-") ? { when: "after", error: death } : undefined,
  );
  await expect(backUp(fixture, { ...backup, store: dying })).rejects.toBe(death);
  const record = [...fixture.objects.keys()].find(
    (key) => key.includes("/point/") && key.includes(original),
  )!;
  fixture.objects.delete(record);
  const { point } = await backUp(fixture, backup);
  const { bases } = await readRecord(fixture, { series: "clone", sessionId: point }, call);
  expect(bases).toEqual([]);
  expect(firstDifference(await restore(fixture, point, { series: "clone" }), disk.blocks)).toBeUndefined();
});

test("a session begun on one parent goes on without it, and keeps what it took", async () => {
  const { fixture, disk } = await openScene();
  const first = await backUp(fixture, { source: disk.source(), series: "clone", limits });
  disk.write(5, fixture.random, 100);
  const sessionId = await drawSession(fixture);
  const backup = { source: disk.source(), series: "clone", sessionId, limits };
  const dying = openFaultyObjectStore(fixture.store, ({ key, method }) =>
    method === "create" && key.includes("/mark-") ? { when: "after", error: death } : undefined,
  );
  await expect(backUp(fixture, { ...backup, parent: first.point, store: dying })).rejects.toBe(death);
  const { point } = await backUp(fixture, backup);
  expect(firstDifference(await restore(fixture, point, { series: "clone" }), disk.blocks)).toBeUndefined();
});
