import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
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
import { checkRepository } from "../check/check-repository.ts";
import { openFaultyObjectStore, type Fault, type FaultedCall } from "../store/faulty-object-store.ts";
import { listPoints } from "../point/list-points.ts";

/** Two or three blocks a pack. */
const tinyLimits = { ...smallLimits, packBytes: 160 * 1024 };
const death = new GarrisonError("aborted", "the process was killed");

/** From call `number` on nothing works any more: what a killed process looks like from the store. */
function diesAt(number: number, when: Fault["when"]) {
  return (made: FaultedCall): Fault | undefined => {
    if (made.number < number) return undefined;
    return { when: made.number === number ? when : "before", error: death };
  };
}

async function findings(fixture: Fixture) {
  const found = [];
  const plan = { level: "full", domain: fixtureDomain, threads: 0 } as const;
  for await (const finding of checkRepository(fixture, plan, call)) found.push(finding);
  return found;
}

interface Scene {
  readonly fixture: Fixture;
  readonly disk: MemoryDisk;
  readonly parent: string | undefined;
  readonly changed: readonly number[] | undefined;
}

async function fullScene(): Promise<Scene> {
  const fixture = openFixture("crash full");
  const disk = new MemoryDisk(1600);
  for (let index = 0; index < 9; index++) disk.write(index * 150, fixture.random, 50_000);
  return { fixture, disk, parent: undefined, changed: undefined };
}

async function changesScene(): Promise<Scene> {
  const { fixture, disk } = await fullScene();
  const { point } = await backUp(fixture, { source: disk.source() });
  const changed = [0, 1, 150, 600, 1100, 1200, 1599];
  for (const index of changed) disk.write(index, fixture.random, 60_000);
  disk.erase(1200);
  disk.reads.length = 0;
  return { fixture, disk, parent: point, changed };
}

async function crashAndResume(scene: Scene, number: number, when: Fault["when"]): Promise<boolean> {
  const { fixture, disk, parent, changed } = scene;
  const pointsBefore = (await listPoints(fixture, {}, call)).length;
  const sessionId = await drawSession(fixture);
  const backup = {
    source: disk.source(changed),
    sessionId,
    limits: { ...tinyLimits, packsPerMark: 2 },
    ...(parent === undefined ? {} : { parent }),
  };
  const dying = openFaultyObjectStore(fixture.store, diesAt(number, when));
  const outcome = await backUp(fixture, { ...backup, store: dying }).then(
    () => "done",
    (error: unknown) => error,
  );
  const points = await listPoints(fixture, {}, call);
  if (outcome === "done") return true;
  expect(outcome).toBe(death);
  const isCommitted = points.length > pointsBefore;
  // Only a record whose answer was lost may have committed.
  if (isCommitted) expect(when).toBe("after");
  const sealed = chunksSealed(fixture, sessionId);
  disk.reads.length = 0;
  const resumed = await backUp(fixture, backup);
  expect(resumed.point).toBe(sessionId);
  expect(firstDifference(await restore(fixture, sessionId), disk.blocks)).toBeUndefined();
  if (!isCommitted) {
    const wanted = (changed ?? [...disk.blocks.keys()]).filter((index) => disk.blocks.has(index)).length;
    expect(disk.reads).toHaveLength(wanted - (await sealed));
  }
  return false;
}

/** Chunks in the session's stored packs, counted from their trailers. */
function chunksSealed(fixture: Fixture, sessionId: string): number {
  const packs = [...fixture.objects].filter(([key]) => key.includes(`/pack/${sessionId}/`));
  return packs.reduce((sum, [, { bytes }]) => sum + Buffer.from(bytes).readUInt32BE(bytes.length - 8), 0);
}

describe.each([
  ["a full backup", fullScene],
  ["a backup of changes", changesScene],
])("%s that dies at any call", (_, openScene) => {
  test.each(["before", "after"] as const)(
    "(%s its effect) is not listed, resumes without reading sealed blocks again, and ends right",
    async (when) => {
      let isDone = false;
      let calls = 0;
      for (let number = 1; !isDone; number++) {
        isDone = await crashAndResume(await openScene(), number, when);
        calls = number;
      }
      expect(calls).toBeGreaterThan(15);
    },
  );
});

test("a backup that dies again and again goes on each time", async () => {
  const { fixture, disk } = await fullScene();
  const sessionId = await drawSession(fixture);
  const backup = { source: disk.source(), sessionId, limits: { ...tinyLimits, packsPerMark: 3 } };
  let lives = 0;
  for (let isDone = false; !isDone; lives++) {
    const store = openFaultyObjectStore(fixture.store, ({ number, method, key }) =>
      method === "create" && number > 6 && /\/(pack|map|point)\//.test(key) && number % 3 === lives % 3
        ? { when: lives % 2 === 0 ? "before" : "after", error: death }
        : undefined,
    );
    isDone = await backUp(fixture, { ...backup, store: lives > 8 ? fixture.store : store }).then(
      () => true,
      () => false,
    );
  }
  expect(lives).toBeGreaterThan(3);
  // Blocks of a pack that never arrived are read again; those of one that did, never.
  const stored = [...fixture.objects.keys()].filter((key) => key.includes("/pack/")).length;
  expect(stored).toBeGreaterThan(0);
  expect(firstDifference(await restore(fixture, sessionId), disk.blocks)).toBeUndefined();
  expect(await findings(fixture)).toEqual([]);
});

test("a session can't be resumed with another snapshot, another volume or another parent", async () => {
  const { fixture, disk } = await fullScene();
  const sessionId = await drawSession(fixture);
  const store = openFaultyObjectStore(fixture.store, diesAt(12, "before"));
  await expect(backUp(fixture, { source: disk.source(), sessionId, store })).rejects.toBe(death);
  disk.write(5, fixture.random);
  await expect(backUp(fixture, { source: disk.source(), sessionId })).rejects.toMatchObject({
    code: "session-changed",
  });
  await expect(backUp(fixture, { source: disk.source(), sessionId, series: "other" })).rejects.toMatchObject({
    code: "session-taken",
  });
});

test("a damaged mark or pack of an earlier lane is left aside", async () => {
  for (const part of ["/mark-", "/pack/"]) {
    const { fixture, disk } = await fullScene();
    const sessionId = await drawSession(fixture);
    const source = disk.source();
    const store = openFaultyObjectStore(fixture.store, diesAt(14, "before"));
    await expect(backUp(fixture, { source, sessionId, store })).rejects.toBe(death);
    const damaged = [...fixture.objects].filter(([key]) => key.includes(part));
    expect(damaged.length).toBeGreaterThan(0);
    for (const [key, object] of damaged) {
      // Packs that a mark covers are trusted by it: only its mark being gone makes them looked at again.
      fixture.objects.set(key, {
        ...object,
        bytes: object.bytes.map((byte, at) => (at === object.bytes.length - 20 ? byte ^ 1 : byte)),
      });
    }
    const marks = [...fixture.objects.keys()].filter((key) => key.includes("/mark-"));
    if (part === "/pack/") marks.forEach((key) => fixture.objects.delete(key));
    await backUp(fixture, { source, sessionId });
    expect(firstDifference(await restore(fixture, sessionId), disk.blocks)).toBeUndefined();
  }
});

test("a full store is a named error, and the session goes on when there is room again", async () => {
  const { fixture, disk } = await fullScene();
  const sessionId = await drawSession(fixture);
  const source = disk.source();
  const full = openFaultyObjectStore(fixture.store, ({ number }) =>
    number > 10 ? { when: "before", error: new GarrisonError("store-full", "no space is left") } : undefined,
  );
  await expect(backUp(fixture, { source, sessionId, store: full })).rejects.toMatchObject({
    code: "store-full",
  });
  expect(await listPoints(fixture, {}, call)).toEqual([]);
  const { volumes } = await backUp(fixture, { source, sessionId });
  expect(volumes[0]!.blocksResumed).toBeGreaterThan(0);
});
