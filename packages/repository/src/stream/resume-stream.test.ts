import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { checkRepository } from "../check/check-repository.ts";
import { listPoints } from "../point/list-points.ts";
import {
  call,
  drawSession,
  fixtureDomain,
  openFixture,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import {
  backUpStream,
  restoreStreamBytes,
  streamBytes,
  withInsertion,
} from "../simulation/stream-fixture.ts";
import { openFaultyObjectStore, type Fault, type FaultedCall } from "../store/faulty-object-store.ts";

const death = new GarrisonError("aborted", "the process was killed");
/** Some forty chunks a pack, a mark every second one. */
const limits = { ...smallLimits, packBytes: 160 * 1024, packsPerMark: 2, recentChunks: 1000 };

/** From call `number` on nothing works any more: what a killed process looks like from the store. */
function diesAt(number: number, when: Fault["when"]) {
  return (made: FaultedCall): Fault | undefined => {
    if (made.number < number) return undefined;
    return { when: made.number === number ? when : "before", error: death };
  };
}

/** Chunks in the session's stored packs, counted from their trailers. */
function chunksSealed(fixture: Fixture, sessionId: string): number {
  const packs = [...fixture.objects].filter(([key]) => key.includes(`/pack/${sessionId}/`));
  return packs.reduce((sum, [, { bytes }]) => sum + Buffer.from(bytes).readUInt32BE(bytes.length - 8), 0);
}

async function expectIntact(fixture: Fixture): Promise<void> {
  const plan = { level: "full", domain: fixtureDomain, threads: 0 } as const;
  for await (const finding of checkRepository(fixture, plan, call)) expect(finding).toBeUndefined();
}

/** A dump, and one that is to be backed up on it: with rows in its middle. */
async function openScene() {
  const fixture = openFixture("dying");
  const base = streamBytes(fixture.random, 1_200_000);
  const { point: parent } = await backUpStream(fixture, { input: base });
  const input = withInsertion(base, 200_000, streamBytes(fixture.random, 450_000));
  const sessionId = await drawSession(fixture);
  return { fixture, stream: { input, parent, sessionId, limits } };
}

/** Whether the backup lived through it; otherwise it is resumed, and `stored` chunks were sealed by both lives. */
async function dieAndResume(stored: number, number: number, when: Fault["when"]): Promise<boolean> {
  const { fixture, stream } = await openScene();
  const { input, sessionId } = stream;
  const store = openFaultyObjectStore(fixture.store, diesAt(number, when));
  const outcome = await backUpStream(fixture, { ...stream, store }).then(
    () => "done",
    (error: unknown) => error,
  );
  if (outcome === "done") return true;
  expect(outcome).toBe(death);
  const isCommitted = (await listPoints(fixture, {}, call)).length > 1;
  if (isCommitted) expect(when).toBe("after");
  const sealed = chunksSealed(fixture, sessionId);
  const { point, volumes } = await backUpStream(fixture, stream);
  expect(point).toBe(sessionId);
  expect((await restoreStreamBytes(fixture, point)).bytes.equals(input)).toBe(true);
  if (!isCommitted) {
    expect(volumes[0]!.blocksResumed).toBeGreaterThanOrEqual(sealed);
    expect(volumes[0]!.blocksStored).toBe(stored - sealed);
    expect(chunksSealed(fixture, sessionId)).toBe(stored);
  }
  await expectIntact(fixture);
  return false;
}

/** Ids of all chunks that a session sealed: none is there twice. */
async function idsSealed(fixture: Fixture, sessionId: string): Promise<readonly string[]> {
  const { readFooter } = await import("../backup/load-resume.ts");
  const { parsePackName } = await import("../format/object-names.ts");
  const ids: string[] = [];
  for (const [key, { bytes }] of fixture.objects) {
    const address = parsePackName(key);
    if (address?.kind !== "pack" || address.session !== sessionId) continue;
    const entries = await readFooter(fixture, { address, sizeBytes: bytes.length }, call);
    ids.push(...entries.map((entry) => Buffer.from(entry.id).toString("hex")));
  }
  return ids;
}

describe("a stream whose backup dies at any call", () => {
  test.each(["before", "after"] as const)(
    "(%s its effect) makes no point, resumes without sealing a chunk again, and ends right",
    async (when) => {
      const { fixture, stream } = await openScene();
      const stored = (await backUpStream(fixture, stream)).volumes[0]!.blocksStored;
      let isDone = false;
      let calls = 0;
      for (let number = 1; !isDone; number++) {
        isDone = await dieAndResume(stored, number, when);
        calls = number;
      }
      expect(calls).toBeGreaterThan(20);
    },
    120_000,
  );
});

describe("a resumed stream", () => {
  test("that has changed meanwhile is taken as it is now, with what of it is sealed", async () => {
    const fixture = openFixture("changed meanwhile");
    const before = streamBytes(fixture.random, 2_500_000);
    const sessionId = await drawSession(fixture);
    const dying = openFaultyObjectStore(fixture.store, diesAt(16, "before"));
    await expect(backUpStream(fixture, { input: before, sessionId, limits, store: dying })).rejects.toBe(
      death,
    );
    const sealed = chunksSealed(fixture, sessionId);
    expect(sealed).toBeGreaterThan(100);
    const input = withInsertion(before, 400_000, streamBytes(fixture.random, 50_000));
    const { volumes, point } = await backUpStream(fixture, { input, sessionId, limits });
    expect((await restoreStreamBytes(fixture, point)).bytes.equals(input)).toBe(true);
    expect(volumes[0]!.blocksResumed).toBeGreaterThan(sealed - 6);
    await expectIntact(fixture);
  });

  test("dies again and again, and goes on each time", async () => {
    const fixture = openFixture("again and again");
    const input = streamBytes(fixture.random, 3_000_000);
    const sessionId = await drawSession(fixture);
    let lives = 0;
    for (let isDone = false; !isDone; lives++) {
      const store = openFaultyObjectStore(
        fixture.store,
        diesAt(14 + 8 * lives, lives % 2 === 0 ? "before" : "after"),
      );
      const lived = backUpStream(fixture, { input, sessionId, limits, store });
      isDone = await lived.then(
        () => true,
        () => false,
      );
    }
    expect(lives).toBeGreaterThan(3);
    expect((await restoreStreamBytes(fixture, sessionId)).bytes.equals(input)).toBe(true);
    const ids = await idsSealed(fixture, sessionId);
    expect(new Set(ids).size).toBe(ids.length);
    await expectIntact(fixture);
  });

  test("must be the same one: another identity or series is refused", async () => {
    const fixture = openFixture("same stream");
    const sessionId = await drawSession(fixture);
    const input = streamBytes(fixture.random, 600_000);
    const store = openFaultyObjectStore(fixture.store, diesAt(8, "before"));
    await expect(backUpStream(fixture, { input, sessionId, store })).rejects.toBe(death);
    await expect(backUpStream(fixture, { input, sessionId, identity: "stream:other" })).rejects.toMatchObject(
      {
        code: "session-changed",
      },
    );
    await expect(backUpStream(fixture, { input, sessionId, series: "other" })).rejects.toMatchObject({
      code: "session-taken",
    });
  });

  test("whose marks are lost is found again in the packs", async () => {
    const fixture = openFixture("lost marks");
    const input = streamBytes(fixture.random, 2_000_000);
    const sessionId = await drawSession(fixture);
    const dying = openFaultyObjectStore(fixture.store, diesAt(18, "before"));
    await expect(backUpStream(fixture, { input, sessionId, limits, store: dying })).rejects.toBe(death);
    const marks = [...fixture.objects.keys()].filter((key) => key.includes("/mark-"));
    expect(marks.length).toBeGreaterThan(0);
    for (const key of marks) fixture.objects.delete(key);
    const sealed = chunksSealed(fixture, sessionId);
    const { volumes } = await backUpStream(fixture, { input, sessionId, limits });
    expect(volumes[0]!.blocksResumed).toBe(sealed);
    expect((await restoreStreamBytes(fixture, sessionId)).bytes.equals(input)).toBe(true);
  });

  test("of two lanes at once ends in one point", async () => {
    const fixture = openFixture("twins");
    const input = streamBytes(fixture.random, 900_000);
    const sessionId = await drawSession(fixture);
    const [first, second] = await Promise.all([
      backUpStream(fixture, { input, sessionId, limits }),
      backUpStream(fixture, { input, sessionId, limits }),
    ]);
    expect(second).toEqual(first);
    expect((await restoreStreamBytes(fixture, sessionId)).bytes.equals(input)).toBe(true);
    await expectIntact(fixture);
  });
});
