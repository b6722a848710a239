import { silentLogger } from "@garrison/core/logger";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { describe, expect, test } from "vitest";
import { dayMs } from "@garrison/core/units";
import { endPoint } from "../keeper/end-session.ts";
import { sessionsOfPoint } from "../point/read-point.ts";
import { executePrune } from "../prune/execute-prune.ts";
import { planPrune } from "../prune/plan-prune.ts";
import { restoreVolume } from "../restore/restore-volume.ts";
import { blockSizeBytes } from "../disk/block-source.ts";
import { flipByte, keysOf, runCheck } from "../simulation/damage.ts";
import {
  backUp,
  call,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  memoryTarget,
  openFixture,
  restore,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import { executeRepair } from "./execute-repair.ts";
import { loadKnownLosses } from "./findings-note.ts";
import { planRepair } from "./plan-repair.ts";

const limits = { ...smallLimits, packBytes: 160 * 1024, leavesPerMark: 1 };

const keeperOf = (fixture: Fixture) => ({
  ...fixture,
  logger: silentLogger,
  controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain),
});

interface Scene {
  readonly fixture: Fixture;
  readonly disk: MemoryDisk;
  readonly points: Map<string, ReadonlyMap<number, Uint8Array>>;
}

/** Three points of a disk: six blocks in two packs, then block 100 changes twice. */
async function openScene(): Promise<Scene> {
  const fixture = openFixture("repair");
  const disk = new MemoryDisk(1200);
  for (let index = 0; index < 60; index += 10) disk.write(index, fixture.random, 50_000);
  const scene = { fixture, disk, points: new Map() };
  await backUpNext(scene, undefined);
  for (let change = 0; change < 2; change++) {
    disk.write(100, fixture.random, 50_000);
    await backUpNext(scene, [100]);
  }
  return scene;
}

async function backUpNext(
  { fixture, disk, points }: Scene,
  changed: readonly number[] | undefined,
): Promise<void> {
  const parent = [...points.keys()].at(-1);
  const source = disk.source(changed);
  const { point } = await backUp(fixture, { source, limits, ...(parent === undefined ? {} : { parent }) });
  points.set(point, disk.copy());
}

async function repair(fixture: Fixture, store = fixture.store) {
  const keeper = { ...keeperOf(fixture), store };
  return executeRepair(keeper, await planRepair(keeper, call), call);
}

/** Points that come back as they were. */
async function wholePoints({ fixture, points }: Scene): Promise<readonly number[]> {
  const whole: number[] = [];
  for (const [index, [point, blocks]] of [...points].entries()) {
    try {
      expect(firstDifference(await restore(fixture, point), blocks)).toBeUndefined();
      whole.push(index);
    } catch (error) {
      if (!isGarrisonError(error)) throw error;
    }
  }
  return whole;
}

describe("a repair", () => {
  test("makes older points whole again by what a later incremental has stored", async () => {
    const scene = await openScene();
    scene.fixture.objects.delete(keysOf(scene.fixture, "pack")[0]!);
    await runCheck(scene.fixture, { level: "structure", remembers: true });
    expect(await wholePoints(scene)).toEqual([]);
    await backUpNext(scene, []);
    expect(await wholePoints(scene)).toEqual([3]);
    const { itemsHealed, after } = await repair(scene.fixture);
    expect({ itemsHealed, left: after.volumes }).toEqual({ itemsHealed: 3, left: [] });
    expect(await wholePoints(scene)).toEqual([0, 1, 2, 3]);
    for (const level of ["structure", "full"] as const) {
      expect((await runCheck(scene.fixture, { level, remembers: true })).findings, level).toEqual([]);
    }
  });

  test("makes them whole by a full backup, too, and by damage inside a pack", async () => {
    const scene = await openScene();
    const [first] = keysOf(scene.fixture, "pack");
    for (const at of [1000, 60_000]) flipByte(scene.fixture.objects, first!, at);
    await runCheck(scene.fixture, { remembers: true });
    await backUpNext(scene, undefined);
    expect(await repair(scene.fixture)).toMatchObject({ itemsHealed: 2, itemsRefused: 0 });
    expect(await wholePoints(scene)).toEqual([0, 1, 2, 3]);
    for (const plan of [{ level: "full" }, { level: "sample", share: 1 }] as const) {
      expect(
        (await runCheck(scene.fixture, plan)).findings.map((each) => each.code),
        plan.level,
      ).toEqual([]);
    }
  });

  test("says which bytes of which points stay lost, since the block has changed", async () => {
    const scene = await openScene();
    scene.fixture.objects.delete(keysOf(scene.fixture, "pack")[0]!);
    await runCheck(scene.fixture, { level: "structure", remembers: true });
    scene.disk.write(10, scene.fixture.random, 50_000);
    await backUpNext(scene, [10]);
    const plan = await planRepair(keeperOf(scene.fixture), call);
    const points = [...scene.points.keys()].slice(0, 3);
    const remaining = [{ offset: 10 * blockSizeBytes, length: blockSizeBytes }];
    expect(plan.volumes).toEqual(
      points.map((point) =>
        expect.objectContaining({
          point,
          name: "disk",
          volumeId: "vol-1",
          blocks: 3,
          blocksHealed: 2,
          remaining,
        }),
      ),
    );
    const { after } = await repair(scene.fixture);
    expect(after.volumes.map(({ point, blocks }) => ({ point, blocks }))).toEqual(
      points.map((point) => ({ point, blocks: 1 })),
    );
    const { findings, summary } = await runCheck(scene.fixture, { level: "structure", remembers: true });
    expect(findings).toEqual([
      expect.objectContaining({ code: "object-missing", hitCount: 3, range: remaining[0] }),
    ]);
    expect(summary.losses.map((loss) => loss.blocks)).toEqual([1, 1, 1]);
  });

  test("plans nothing and writes nothing when it is done again", async () => {
    const scene = await openScene();
    scene.fixture.objects.delete(keysOf(scene.fixture, "pack")[0]!);
    await runCheck(scene.fixture, { level: "structure", remembers: true });
    await backUpNext(scene, []);
    await repair(scene.fixture);
    const keys = [...scene.fixture.objects.keys()];
    expect(await repair(scene.fixture)).toMatchObject({ itemsHealed: 0 });
    expect([...scene.fixture.objects.keys()]).toEqual(keys);
  });

  test("touches nothing while it plans", async () => {
    const scene = await openScene();
    scene.fixture.objects.delete(keysOf(scene.fixture, "pack")[0]!);
    await runCheck(scene.fixture, { level: "structure", remembers: true });
    await backUpNext(scene, []);
    const keys = [...scene.fixture.objects.keys()];
    const plan = await planRepair(keeperOf(scene.fixture), call);
    expect(plan.forwards).toHaveLength(1);
    expect([...scene.fixture.objects.keys()]).toEqual(keys);
  });

  test("refuses a copy that is damaged itself", async () => {
    const scene = await openScene();
    scene.fixture.objects.delete(keysOf(scene.fixture, "pack")[0]!);
    await runCheck(scene.fixture, { level: "structure", remembers: true });
    await backUpNext(scene, []);
    const newest = [...scene.points.keys()].at(-1)!;
    flipByte(scene.fixture.objects, keysOf(scene.fixture, "pack", newest)[0]!, 60_000);
    expect(await repair(scene.fixture)).toMatchObject({ itemsHealed: 2, itemsRefused: 1 });
  });

  test("lasts when the backup that has the copies ends and is pruned, and its loss is noticed then, too", async () => {
    const scene = await openScene();
    const { fixture } = scene;
    const [first] = keysOf(fixture, "pack");
    flipByte(fixture.objects, first!, 1000);
    await runCheck(fixture, { remembers: true });
    await backUpNext(scene, []);
    await repair(fixture);
    const keeper = keeperOf(fixture);
    const healing = [...scene.points.keys()].at(-1)!;
    await fixture.clock.advance(1000);
    await endPoint(keeper, { series: "disk", sessionId: healing }, call);
    scene.points.delete(healing);
    for (let pass = 0; pass < 2; pass++) {
      await fixture.clock.advance(30 * dayMs);
      await executePrune(keeper, await planPrune(keeper, {}, call), call);
    }
    expect(await wholePoints(scene)).toEqual([0, 1, 2]);
    const structure = { level: "structure", remembers: true } as const;
    expect((await runCheck(fixture, structure)).findings).toEqual([]);
    fixture.objects.delete(keysOf(fixture, "pack", healing)[0]!);
    const { findings } = await runCheck(fixture, structure);
    expect(findings).toEqual([expect.objectContaining({ code: "chunk-damaged", key: first, hitCount: 3 })]);
    expect(await wholePoints(scene)).toEqual([]);
  });

  test("is read with the keys that a restore is told to need", async () => {
    const scene = await openScene();
    const { fixture } = scene;
    fixture.objects.delete(keysOf(fixture, "pack")[0]!);
    await runCheck(fixture, { level: "structure", remembers: true });
    await backUpNext(scene, []);
    await repair(fixture);
    const [[point, blocks]] = [...scene.points] as [[string, ReadonlyMap<number, Uint8Array>]];
    const needed = await sessionsOfPoint(fixture, { series: "disk", sessionId: point }, call);
    const keys = needed.map(({ sessionId, epoch }): [string, Uint8Array] => [
      sessionId,
      fixture.repository.sessionDataKey(fixtureDomain, sessionId, epoch),
    ]);
    const target = memoryTarget();
    await restoreVolume(
      { store: fixture.store, keys: fixture.keys, logger: silentLogger, sessionKeys: new Map(keys) },
      { series: "disk", point, volumeId: "vol-1", target, threads: 0 },
      call,
    );
    expect(firstDifference(target.blocks, blocks)).toBeUndefined();
  });

  test("can die at any call of the store and be done again", async () => {
    const scene = await openScene();
    scene.fixture.objects.delete(keysOf(scene.fixture, "pack")[0]!);
    await runCheck(scene.fixture, { level: "structure", remembers: true });
    await backUpNext(scene, []);
    const objects = new Map(scene.fixture.objects);
    const [oldest, blocks] = [...scene.points][0]!;
    const death = new GarrisonError("aborted", "killed");
    let deaths = 0;
    for (let at = 1; ; at++) {
      const faulty = openFaultyObjectStore(scene.fixture.store, ({ number, method }) =>
        number === at
          ? { when: method === "create" && at % 2 === 0 ? "after" : "before", error: death }
          : undefined,
      );
      const error = await repair(scene.fixture, faulty).catch((thrown: unknown) => thrown);
      if (faulty.calls() < at) break;
      expect(error).toBe(death);
      deaths++;
      await scene.fixture.clock.advance(1000);
      await repair(scene.fixture);
      expect(
        firstDifference(await restore(scene.fixture, oldest), blocks),
        `killed at call ${at}`,
      ).toBeUndefined();
      expect((await loadKnownLosses(keeperOf(scene.fixture), call)).volumes).toEqual([]);
      scene.fixture.objects.clear();
      for (const [key, object] of objects) scene.fixture.objects.set(key, object);
    }
    expect(deaths).toBeGreaterThan(50);
  }, 300_000);
});
