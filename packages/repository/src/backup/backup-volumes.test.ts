import { describe, expect, test } from "vitest";
import { systemClock } from "@garrison/core/clock";
import { blockSizeBytes } from "../disk/block-source.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import {
  backUp,
  call,
  drawSession,
  firstDifference,
  MemoryDisk,
  openFixture,
  restore,
} from "../simulation/engine-fixture.ts";
import { defaultLimits } from "./engine-limits.ts";
import { endPoint, fenceSession, giveUpSession } from "../keeper/end-session.ts";
import { pointName, seriesHash } from "../format/object-names.ts";
import { listPoints } from "../point/list-points.ts";
import { readPoint, sessionsOfPoint } from "../point/read-point.ts";
import { fixtureDomain } from "../simulation/engine-fixture.ts";

function diskWith(blocks: number, seed: string) {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(2000);
  for (let index = 0; index < blocks; index++) disk.write(index * 41, fixture.random, 120_000);
  return { fixture, disk };
}

describe("a full backup", () => {
  test("is restored byte for byte, over several packs, leaves and marks", async () => {
    const { fixture, disk } = diskWith(40, "full");
    const { point, volumes } = await backUp(fixture, { source: disk.source() });
    expect(volumes[0]).toMatchObject({
      coverage: "full",
      blocksListed: 40,
      blocksRead: 40,
      blocksStored: 40,
    });
    expect(firstDifference(await restore(fixture, point), disk.blocks)).toBeUndefined();
    const keys = [...fixture.objects.keys()];
    expect(keys.filter((key) => key.includes("/pack/")).length).toBeGreaterThan(8);
    expect(keys.filter((key) => key.includes("/mark-")).length).toBeGreaterThan(1);
  });

  test("stores equal blocks once, and zero blocks not at all", async () => {
    const fixture = openFixture("equal");
    const disk = new MemoryDisk(100);
    disk.write(3, fixture.random);
    for (const index of [4, 50, 99]) disk.put(index, disk.blocks.get(3)!);
    disk.put(60, new Uint8Array(blockSizeBytes));
    const { point, volumes } = await backUp(fixture, { source: disk.source() });
    expect(volumes[0]).toMatchObject({ blocksRead: 5, blocksStored: 1, blocksReused: 3 });
    const restored = await restore(fixture, point);
    expect([...restored.keys()]).toEqual([3, 4, 50, 99]);
    expect(firstDifference(restored, disk.blocks)).toBeUndefined();
  });

  test("keeps blocks that do not compress as they are", async () => {
    const fixture = openFixture("random");
    const disk = new MemoryDisk(10);
    disk.write(2, fixture.random, blockSizeBytes);
    const { point } = await backUp(fixture, { source: disk.source(), limits: defaultLimits });
    expect(firstDifference(await restore(fixture, point), disk.blocks)).toBeUndefined();
  });

  test("of an empty disk is a restore point of zeros", async () => {
    const fixture = openFixture("empty");
    const { point } = await backUp(fixture, { source: new MemoryDisk(10).source() });
    expect((await restore(fixture, point)).size).toBe(0);
  });

  test("reaches beyond the first inner page", async () => {
    const fixture = openFixture("large");
    const disk = new MemoryDisk(3 * 512 * 512 + 5);
    for (const index of [0, 262_143, 262_144, 786_436]) disk.write(index, fixture.random);
    const { point } = await backUp(fixture, { source: disk.source() });
    expect(firstDifference(await restore(fixture, point), disk.blocks)).toBeUndefined();
  });
});

describe("a backup with a parent", () => {
  test("reads only the changed blocks, refers to the rest, and restores like a full one", async () => {
    const { fixture, disk } = diskWith(40, "changes");
    const first = await backUp(fixture, { source: disk.source() });
    const before = disk.copy();
    disk.write(41, fixture.random);
    disk.write(1999, fixture.random);
    disk.erase(82);
    disk.reads.length = 0;
    const second = await backUp(fixture, { source: disk.source([41, 82, 1999]), parent: first.point });
    expect(disk.reads).toEqual([41, 1999]);
    expect(second.volumes[0]).toMatchObject({
      coverage: "changes",
      blocksListed: 3,
      blocksRead: 2,
      blocksStored: 2,
    });
    expect(firstDifference(await restore(fixture, second.point), disk.blocks)).toBeUndefined();
    expect(firstDifference(await restore(fixture, first.point), before)).toBeUndefined();
    const address = { series: "disk", sessionId: second.point };
    expect(await sessionsOfPoint(fixture, address, call)).toEqual([
      { sessionId: first.point, epoch: 1 },
      { sessionId: second.point, epoch: 1 },
    ]);
  });

  test("writes no page that did not change", async () => {
    const { fixture, disk } = diskWith(48, "pages");
    const first = await backUp(fixture, { source: disk.source() });
    disk.write(0, fixture.random);
    const store = openCountingObjectStore(fixture.store);
    await backUp(fixture, { source: disk.source([0]), parent: first.point, store });
    // open, lane, one pack, one map pack of pages, one of tables, the record.
    expect(store.counts.creates).toBeLessThanOrEqual(8);
    expect(store.counts.bytesCreated).toBeLessThan(80_000);
  });

  test("that reads in full stores nothing that the parent has at the same place", async () => {
    const { fixture, disk } = diskWith(40, "full again");
    const first = await backUp(fixture, { source: disk.source() });
    disk.write(82, fixture.random);
    disk.erase(0);
    disk.erase(1599);
    const second = await backUp(fixture, { source: disk.source(), parent: first.point });
    expect(second.volumes[0]).toMatchObject({ coverage: "full", blocksStored: 1, blocksReused: 37 });
    expect(firstDifference(await restore(fixture, second.point), disk.blocks)).toBeUndefined();
  });

  test("refuses changes without a parent that holds the volume", async () => {
    const { fixture, disk } = diskWith(4, "orphan");
    const first = await backUp(fixture, { source: disk.source() });
    const changes = disk.source([0]);
    await expect(backUp(fixture, { source: changes })).rejects.toMatchObject({ code: "parent-unusable" });
    await expect(
      backUp(fixture, { source: changes, parent: first.point, volumeId: "vol-2" }),
    ).rejects.toMatchObject({ code: "parent-unusable" });
    const control = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
    await endPoint(control, { series: "disk", sessionId: first.point }, call);
    await expect(backUp(fixture, { source: changes, parent: first.point })).rejects.toMatchObject({
      code: "parent-unusable",
    });
  });

  test("whose parent has ended reads in full on its own", async () => {
    const { fixture, disk } = diskWith(4, "ended parent");
    const first = await backUp(fixture, { source: disk.source() });
    const control = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
    await endPoint(control, { series: "disk", sessionId: first.point }, call);
    const second = await backUp(fixture, { source: disk.source(), parent: first.point });
    expect(second.volumes[0]).toMatchObject({ blocksStored: 4, blocksReused: 0 });
  });
});

describe("the slot", () => {
  test("answers a committed session with its own summary", async () => {
    const { fixture, disk } = diskWith(4, "twice");
    const sessionId = await drawSession(fixture);
    const first = await backUp(fixture, { source: disk.source(), sessionId });
    expect(await backUp(fixture, { source: disk.source(), sessionId })).toEqual(first);
  });

  test("keeps a fenced or given-up session from committing", async () => {
    const { fixture, disk } = diskWith(4, "fence");
    const control = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
    for (const end of [fenceSession, giveUpSession] as const) {
      const sessionId = await drawSession(fixture);
      expect(await end(control, { series: "disk", sessionId }, call)).toBe("created");
      await expect(backUp(fixture, { source: disk.source(), sessionId })).rejects.toMatchObject({
        code: "session-fenced",
      });
    }
    expect(await listPoints(fixture, {}, call)).toEqual([]);
  });

  test("can't be fenced after the commit", async () => {
    const { fixture, disk } = diskWith(2, "late fence");
    const { point } = await backUp(fixture, { source: disk.source() });
    const control = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
    expect(await fenceSession(control, { series: "disk", sessionId: point }, call)).toBe("exists");
    expect(await listPoints(fixture, {}, call)).toHaveLength(1);
  });

  test("filled by a stranger stops the writer", async () => {
    const { fixture, disk } = diskWith(2, "foreign");
    const sessionId = await drawSession(fixture);
    const name = pointName(fixtureDomain, seriesHash(fixture.keys, "disk"), sessionId);
    await fixture.store.create(name, Buffer.alloc(200, 7), call);
    await expect(backUp(fixture, { source: disk.source(), sessionId })).rejects.toMatchObject({
      code: "slot-foreign",
    });
  });

  test("takes one record of two lanes that finish at once", async () => {
    const { fixture, disk } = diskWith(10, "twins");
    const sessionId = await drawSession(fixture);
    const source = disk.source();
    const [first, second] = await Promise.all([
      backUp(fixture, { source, sessionId }),
      backUp(fixture, { source, sessionId }),
    ]);
    expect(second).toEqual(first);
    expect(firstDifference(await restore(fixture, first.point), disk.blocks)).toBeUndefined();
  });
});

describe("restore points", () => {
  test("are listed oldest first, by series, without the ended ones", async () => {
    const { fixture, disk } = diskWith(2, "list");
    const [a, b, c] = [
      await backUp(fixture, { source: disk.source() }),
      await backUp(fixture, { source: disk.source(), series: "other" }),
      await backUp(fixture, { source: disk.source() }),
    ];
    const listed = async (series?: string) =>
      (await listPoints(fixture, series === undefined ? {} : { series }, call)).map(
        (point) => point.sessionId,
      );
    expect(await listed()).toEqual([a.point, b.point, c.point]);
    expect(await listed("disk")).toEqual([a.point, c.point]);
    const control = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
    await endPoint(control, { series: "disk", sessionId: a.point }, call);
    expect(await listed("disk")).toEqual([c.point]);
    await expect(restore(fixture, a.point)).rejects.toMatchObject({ code: "point-ended" });
  });

  test("show their description only with the session's key, and nothing of it lies open", async () => {
    const { fixture, disk } = diskWith(2, "description");
    const { point } = await backUp(fixture, { source: disk.source() });
    const address = { series: "disk", sessionId: point };
    expect((await readPoint(fixture, address, call)).description).toBeUndefined();
    const dataKey = (epoch: number) => fixture.repository.sessionDataKey(fixtureDomain, point, epoch);
    expect((await readPoint({ ...fixture, dataKey }, address, call)).description).toEqual({
      secret: "user data",
    });
    const other = (epoch: number) => fixture.repository.sessionDataKey(fixtureDomain, "00".repeat(8), epoch);
    await expect(readPoint({ ...fixture, dataKey: other }, address, call)).rejects.toMatchObject({
      code: "object-damaged",
    });
    for (const { bytes } of fixture.objects.values())
      expect(Buffer.from(bytes).includes("user data")).toBe(false);
  });

  test("that do not exist are point-missing", async () => {
    const { fixture } = diskWith(1, "missing");
    await expect(restore(fixture, "00".repeat(8))).rejects.toMatchObject({ code: "point-missing" });
  });
});

describe("a source that lies", () => {
  const fixture = openFixture("lies");
  const disk = new MemoryDisk(10);
  test.each([
    ["lists a block twice", [1, 1]],
    ["lists backwards", [5, 4]],
    ["lists beyond its end", [10]],
  ])("%s and is refused, and its session given up", async (_, indexes) => {
    const sessionId = await drawSession(fixture);
    const source = {
      ...disk.source(),
      list: async function* () {
        for (const index of indexes) yield { index };
      },
      read: async (_: unknown, into: Uint8Array) => {
        into.fill(1);
        return {};
      },
    };
    await expect(backUp(fixture, { source, sessionId })).rejects.toMatchObject({ code: "source-invalid" });
    await expect(backUp(fixture, { source: disk.source(), sessionId })).rejects.toMatchObject({
      code: "session-fenced",
    });
  });
});

test("a session that is silent for long shows signs of life", async () => {
  const { fixture, disk } = diskWith(1, "quiet");
  const source = disk.source();
  const slow = {
    ...source,
    read: async (...options: Parameters<typeof source.read>) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return source.read(...options);
    },
  };
  const limits = { ...defaultLimits, quietMs: 10 };
  await backUp(fixture, { source: slow, limits, clock: systemClock });
  expect([...fixture.objects.keys()].filter((key) => key.includes("/mark-")).length).toBeGreaterThan(0);
});
