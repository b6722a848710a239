import { describe, expect, test } from "vitest";
import { silentLogger } from "@garrison/core/logger";
import { checkRepository } from "../check/check-repository.ts";
import type { Finding } from "../check/check-plan.ts";
import { backupVolumes } from "../backup/backup-volumes.ts";
import { endName, pointName, seriesHash } from "../format/object-names.ts";
import { endPoint, endSlot } from "../keeper/end-session.ts";
import { listPoints } from "../point/list-points.ts";
import { readPoint, sessionsOfPoint } from "../point/read-point.ts";
import { readTombstone } from "../point/read-slot.ts";
import { newLaneId } from "../point/session-id.ts";
import { restoreVolume } from "../restore/restore-volume.ts";
import {
  backUp,
  call,
  drawSession,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  memoryTarget,
  openFixture,
  restore,
  rotateFixture,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import { GarrisonError } from "@garrison/core/garrison-error";

async function findingsOf(fixture: Fixture): Promise<readonly Finding[]> {
  const plan = { level: "full", domain: fixtureDomain, threads: 0 } as const;
  const found: Finding[] = [];
  for await (const finding of checkRepository(fixture, plan, call)) found.push(finding);
  return found;
}

/** A point of epoch 1, and one of epoch 2 that changes one of its four blocks. */
async function rotatedHistory(seed: string) {
  const old = openFixture(seed);
  const disk = new MemoryDisk(1500);
  for (const index of [0, 1, 700, 1400]) disk.write(index, old.random);
  const [before, first] = [disk.copy(), await backUp(old, { source: disk.source() })];
  const rotated = rotateFixture(old);
  disk.write(700, old.random);
  const source = disk.source([700]);
  const second = await backUp(rotated, { source, parent: first.point });
  return { old, rotated, disk, before, first, second, after: disk.copy() };
}

const addressOf = (point: string) => ({ series: "disk", sessionId: point });
const slotOf = (fixture: Fixture, point: string) => ({
  series: seriesHash(fixture.keys, "disk"),
  session: point,
});
const keeperOf = (fixture: Fixture) => ({
  ...fixture,
  controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain),
});

describe("after a rotation of the keys", () => {
  test("points of all epochs restore, and a full check finds nothing", async () => {
    const { rotated, before, first, second, after } = await rotatedHistory("restore");
    expect(firstDifference(await restore(rotated, first.point), before)).toBeUndefined();
    expect(firstDifference(await restore(rotated, second.point), after)).toBeUndefined();
    expect(await findingsOf(rotated)).toEqual([]);
  });

  test("a series keeps its name and equal blocks are not stored again", async () => {
    const { rotated, disk, second } = await rotatedHistory("dedupe");
    const third = await backUp(rotateFixture(rotated), { source: disk.source(), parent: second.point });
    expect(third.volumes[0]).toMatchObject({ blocksRead: 4, blocksReused: 4, blocksStored: 0 });
  });

  test("a point says which session is of which epoch, and these keys alone restore it", async () => {
    const { rotated, first, second, after } = await rotatedHistory("worker");
    const sessions = await sessionsOfPoint(rotated, addressOf(second.point), call);
    expect(sessions).toEqual([
      { sessionId: first.point, epoch: 1 },
      { sessionId: second.point, epoch: 2 },
    ]);
    const sessionKeys = new Map(
      sessions.map(({ sessionId, epoch }) => [
        sessionId,
        rotated.repository.sessionDataKey(fixtureDomain, sessionId, epoch),
      ]),
    );
    const target = memoryTarget();
    const plan = { series: "disk", point: second.point, volumeId: "vol-1", target, threads: 0 };
    await restoreVolume({ ...rotated, sessionKeys, logger: silentLogger }, plan, call);
    expect(firstDifference(target.blocks, after)).toBeUndefined();
  });

  test("descriptions of all epochs open", async () => {
    const { rotated, first, second } = await rotatedHistory("description");
    for (const { point } of [first, second]) {
      const dataKey = (epoch: number) => rotated.repository.sessionDataKey(fixtureDomain, point, epoch);
      const read = await readPoint({ ...rotated, dataKey }, addressOf(point), call);
      expect(read.description).toEqual({ secret: "user data" });
    }
  });

  test("keys from before name what they can't open, and still list what they can", async () => {
    const { old, first, second } = await rotatedHistory("outdated");
    await expect(readPoint(old, addressOf(second.point), call)).rejects.toMatchObject({
      code: "keys-outdated",
    });
    expect((await listPoints(old, {}, call)).map((point) => point.sessionId)).toEqual([first.point]);
    const ahead = () => old.repository.sessionDataKey(fixtureDomain, second.point, 2);
    expect(ahead).toThrow(expect.objectContaining({ code: "keys-outdated" }));
  });

  test("a check with current keys names an object of an epoch that nobody knows", async () => {
    const { rotated, second } = await rotatedHistory("stranger");
    const future = rotateFixture(rotated);
    const { point } = await backUp(future, { source: new MemoryDisk(1).source() });
    const [record, ...others] = await findingsOf(rotated);
    expect(record).toMatchObject({
      code: "keys-outdated",
      key: pointName(fixtureDomain, slotOf(rotated, point).series, point),
    });
    const session = { code: "keys-outdated", key: expect.stringContaining(`/session/${point}/`) };
    expect(others).toMatchObject([session, session]);
    expect(point > second.point).toBe(true);
  });

  test("a former master key ends no later point, and a current one ends every point", async () => {
    const { old, rotated, first, second } = await rotatedHistory("tombstones");
    await endSlot(keeperOf(old), slotOf(old, second.point), call);
    expect(await readTombstone(rotated, slotOf(rotated, second.point), call)).toBe("unsigned");
    expect(await listPoints(rotated, {}, call)).toHaveLength(2);
    expect(await findingsOf(rotated)).toMatchObject([
      { code: "tombstone-unsigned", key: endName(fixtureDomain, slotOf(old, "").series, second.point) },
    ]);
    await endPoint(keeperOf(rotated), addressOf(first.point), call);
    expect(await readTombstone(rotated, slotOf(rotated, first.point), call)).toBe("signed");
  });

  test("a tombstone outlives rotations, with its record and without it", async () => {
    const { old, rotated, first } = await rotatedHistory("ended before");
    await endPoint(keeperOf(old), addressOf(first.point), call);
    const slot = slotOf(rotated, first.point);
    expect(await readTombstone(rotated, slot, call)).toBe("signed");
    rotated.objects.delete(pointName(fixtureDomain, slot.series, slot.session));
    expect(await readTombstone(rotated, slot, call)).toBe("signed");
  });

  test("a session that was begun before is not resumed", async () => {
    const { old, rotated, disk } = await rotatedHistory("resume");
    const sessionId = await drawSession(old);
    const dying = openFaultyObjectStore(old.store, ({ method, key }) =>
      method === "create" && key.includes("/point/")
        ? { when: "before", error: new GarrisonError("aborted", "killed") }
        : undefined,
    );
    const source = disk.source();
    await expect(backUp(old, { source, sessionId, store: dying })).rejects.toMatchObject({ code: "aborted" });
    await expect(backUp(rotated, { source, sessionId })).rejects.toMatchObject({ code: "session-changed" });
    await expect(backUp(old, { source, sessionId })).resolves.toMatchObject({ point: sessionId });
  });

  test("a data key of another epoch than the domain's keys is refused before anything is written", async () => {
    const { old, rotated, disk } = await rotatedHistory("grant");
    const sessionId = await drawSession(old);
    const dataKey = old.repository.sessionDataKey(fixtureDomain, sessionId, 1);
    const grant = { sessionId, laneId: newLaneId(old.random), epoch: 1, dataKey };
    const volumes = [{ volumeId: "vol-1", source: disk.source() }];
    const objects = rotated.objects.size;
    await expect(
      backupVolumes(
        { ...rotated, logger: silentLogger },
        { grant, series: "disk", volumes, description: {} },
        call,
      ),
    ).rejects.toMatchObject({ code: "usage" });
    expect(rotated.objects.size).toBe(objects);
  });
});
