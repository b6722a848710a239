import { describe, expect, test } from "vitest";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { dayMs } from "@garrison/core/units";
import { openPageWriter } from "../backup/page-writer.ts";
import { itemKinds } from "../format/format-limits.ts";
import { PackStream } from "../backup/pack-stream.ts";
import { endName, openName, pointName, seriesHash } from "../format/object-names.ts";
import { encodePackTable } from "../format/pack-table.ts";
import { encodeRecord, type PointRecord } from "../format/point-record.ts";
import { encodeObject } from "../format/sealed-object.ts";
import { fenceSession } from "../keeper/end-session.ts";
import { writeNote } from "../keeper/notes.ts";
import { readSlot } from "../point/read-slot.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import { newLaneId } from "../point/session-id.ts";
import {
  backUp,
  call,
  drawSession,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  restore,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import {
  eager,
  end,
  forkFixture,
  interruptedStore,
  keeperOf,
  namesOf,
  prune,
} from "../simulation/prune-fixture.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { planPrune } from "./plan-prune.ts";

async function openSeries(seed: string) {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(40);
  const points: string[] = [];
  for (let day = 0; day < 3; day++) {
    for (const block of [day, 10, 20]) disk.write(block, fixture.random, 90_000);
    const parent = points.at(-1);
    const source = disk.source(parent === undefined ? undefined : [day, 10, 20]);
    points.push((await backUp(fixture, { source, ...(parent === undefined ? {} : { parent }) })).point);
  }
  return { fixture, disk, points, series: seriesHash(fixture.keys, "disk") };
}

const slotOf = (fixture: Fixture, point: string) =>
  pointName(fixtureDomain, seriesHash(fixture.keys, "disk"), point);

describe("a pass refuses to start when", () => {
  test("a point that its catalogue knows has vanished, even the newest", async () => {
    const { fixture, points, series } = await openSeries("newest vanished");
    await prune(fixture);
    fixture.objects.delete(slotOf(fixture, points[2]!));
    await expect(planPrune(keeperOf(fixture), eager, call)).rejects.toMatchObject({
      code: "prune-refused",
      details: { vanished: [{ series, session: points[2] }] },
    });
  });

  test("a point that its catalogue knows has vanished, and its slot was fenced since", async () => {
    const { fixture, points, series } = await openSeries("fenced in its place");
    await prune(fixture);
    fixture.objects.delete(slotOf(fixture, points[2]!));
    await fenceSession(keeperOf(fixture), { series: "disk", sessionId: points[2]! }, call);
    await expect(planPrune(keeperOf(fixture), eager, call)).rejects.toMatchObject({
      code: "prune-refused",
      details: { vanished: [{ series, session: points[2] }] },
    });
  });

  test("a point has vanished that the record of a later one saw, though there is no catalogue", async () => {
    const { fixture, points } = await openSeries("older vanished");
    fixture.objects.delete(slotOf(fixture, points[1]!));
    await expect(planPrune(keeperOf(fixture), eager, call)).rejects.toMatchObject({ code: "prune-refused" });
  });

  test("a point that its catalogue knows is not authentic any more", async () => {
    const { fixture, points } = await openSeries("spoiled");
    await prune(fixture);
    fixture.objects.get(slotOf(fixture, points[2]!))!.bytes[50]! ^= 1;
    await expect(planPrune(keeperOf(fixture), eager, call)).rejects.toMatchObject({ code: "prune-refused" });
  });

  test("the tombstone of a reclaimed point is not the keeper's", async () => {
    const { fixture, points, series } = await openSeries("forged end");
    await end(fixture, points[0]!);
    await prune(fixture);
    const name = endName(fixtureDomain, series, points[0]!);
    const body = Buffer.concat([Buffer.alloc(64), Buffer.from("{}")]);
    const bytes = encodeObject(fixture.keys, fixture.random, { name, kind: "tombstone", body });
    fixture.objects.set(name, { bytes, modifiedMs: 0 });
    await expect(planPrune(keeperOf(fixture), eager, call)).rejects.toMatchObject({ code: "prune-refused" });
  });

  test("and goes on when somebody has accepted the loss, which ends the point for good", async () => {
    const { fixture, disk, points } = await openSeries("accepted");
    await prune(fixture);
    fixture.objects.delete(slotOf(fixture, points[1]!));
    const { plan } = await prune(fixture, { ...eager, acceptVanished: true });
    expect(plan.vanished.map((point) => point.session)).toEqual([points[1]]);
    await prune(fixture);
    await prune(fixture);
    expect(firstDifference(await restore(fixture, points[2]!), disk.copy())).toBeUndefined();
  });
});

test("what others reuse of a vanished point stays, though its session looks as if it had never committed", async () => {
  const { fixture, disk, points } = await openSeries("looks open");
  fixture.objects.delete(slotOf(fixture, points[1]!));
  await fixture.clock.advance(30 * dayMs);
  const { plan } = await prune(fixture, { ...eager, acceptVanished: true });
  expect(plan.vanished.map((point) => point.session)).toEqual([points[1]]);
  expect(firstDifference(await restore(fixture, points[2]!), disk.copy())).toBeUndefined();
});

test("a session begun on a point whose loss is accepted never commits what is reclaimed, wherever it is", async () => {
  const scene = await openSeries("orphaned session");
  await prune(scene.fixture);
  scene.disk.write(1, scene.fixture.random, 90_000);
  const sessionId = await drawSession(scene.fixture);
  const parent = scene.points[2]!;
  const backUpOnto = (fixture: Fixture, store: ObjectStore) =>
    backUp(fixture, { source: scene.disk.source([1]), parent, sessionId, store });
  const counting = interruptedStore(forkFixture(scene.fixture).store, { at: 0, run: async () => undefined });
  await backUpOnto(scene.fixture, counting);
  const ends = new Set<string>();
  for (let at = 1; at <= counting.calls(); at++) {
    const fixture = forkFixture(scene.fixture);
    const run = async () => {
      fixture.objects.delete(slotOf(fixture, parent));
      await prune(fixture, { ...eager, acceptVanished: true });
      await prune(fixture);
    };
    const store = interruptedStore(fixture.store, { at, run });
    const end = await backUpOnto(fixture, store).then(
      () => "committed",
      (error: unknown) => (isGarrisonError(error) ? error.code : String(error)),
    );
    ends.add(end);
  }
  expect([...ends].toSorted()).toEqual(["object-missing", "parent-unusable", "session-fenced"]);
});

test("points that ended and were reclaimed are no reason to refuse", async () => {
  const { fixture, points } = await openSeries("ended");
  await prune(fixture);
  await end(fixture, points[0]!);
  await end(fixture, points[1]!);
  await prune(fixture);
  expect((await prune(fixture)).plan.findings).toEqual([]);
});

describe("what is not authentic", () => {
  test("an unsigned tombstone ends nothing and is reported", async () => {
    const { fixture, points, series } = await openSeries("unsigned end");
    const name = endName(fixtureDomain, series, points[0]!);
    fixture.objects.set(name, { bytes: Buffer.from("gone"), modifiedMs: 0 });
    const { plan } = await prune(fixture);
    expect(plan.findings.map((finding) => finding.code)).toEqual(["tombstone-unsigned"]);
    expect(plan.records).toEqual([]);
    await restore(fixture, points[0]!);
  });

  test("a foreign slot keeps its session open, with all that its bases reach", async () => {
    const { fixture, disk, points, series } = await openSeries("foreign slot");
    await prune(fixture);
    const sessionId = await drawSession(fixture);
    const base = { series, session: points[2]! };
    const open = { kind: "backup", series, bases: [base], volumes: [] };
    const name = openName(fixtureDomain, sessionId);
    const body = Buffer.from(JSON.stringify(open));
    const bytes = encodeObject(fixture.keys, fixture.random, { name, kind: "open", body });
    await fixture.store.create(name, bytes, call);
    await fixture.store.create(slotOf(fixture, sessionId), Buffer.from("mine"), call);
    await end(fixture, points[2]!);
    await fixture.clock.advance(30 * dayMs);
    const { plan } = await prune(fixture);
    expect(plan.findings.map((finding) => finding.code)).toEqual(["slot-foreign"]);
    expect(plan.fences).toEqual([]);
    expect(plan.records).toEqual([]);
    expect(namesOf(fixture, "session")).toHaveLength(1);
    fixture.objects.delete(endName(fixtureDomain, series, points[2]!));
    expect(firstDifference(await restore(fixture, points[2]!), disk.copy())).toBeUndefined();
  });

  test("a slot that may have been a point keeps everything that ever committed, until a person has looked", async () => {
    const { fixture, points } = await openSeries("unknown slot");
    await prune(fixture, { ...eager, graceMs: 30 * dayMs });
    await fixture.store.create(slotOf(fixture, "00".repeat(8)), Buffer.from("?"), call);
    await end(fixture, points[0]!);
    const before = namesOf(fixture, "pack", "map", "point");
    const { plan } = await prune(fixture);
    expect(plan.findings.map((finding) => finding.code)).toEqual(["slot-foreign", "session-unsettled"]);
    expect(namesOf(fixture, "pack", "map", "point")).toEqual(before);
    fixture.objects.delete(slotOf(fixture, "00".repeat(8)));
    await prune(fixture);
    expect(namesOf(fixture, "pack", "map", "point").length).toBeLessThan(before.length);
  });

  test("an open object that can't be read keeps what it may reach", async () => {
    const { fixture, points } = await openSeries("spoiled open");
    const sessionId = await drawSession(fixture);
    await fixture.store.create(openName(fixtureDomain, sessionId), Buffer.from("?"), call);
    await end(fixture, points[0]!);
    const before = namesOf(fixture, "pack", "map", "point");
    const { plan } = await prune(fixture);
    expect(plan.findings.map((finding) => finding.code)).toEqual(["session-unsettled"]);
    expect(namesOf(fixture, "pack", "map", "point")).toEqual(before);
  });

  test("packs of a session of which nothing else is known stay, and are reported", async () => {
    const { fixture } = await openSeries("orphans");
    const name = `${fixtureDomain}/pack/${"ab".repeat(8)}/00000000-00000000`;
    await fixture.store.create(name, Buffer.from("orphan"), call);
    const { plan } = await prune(fixture);
    expect(plan.findings.map((finding) => finding.code)).toEqual(["session-unknown"]);
    expect(fixture.objects.has(name)).toBe(true);
  });

  test("a record that is put back after its deletion is void, and goes again", async () => {
    const { fixture, points } = await openSeries("put back");
    const record = fixture.objects.get(slotOf(fixture, points[0]!))!;
    await end(fixture, points[0]!);
    await prune(fixture);
    fixture.objects.set(slotOf(fixture, points[0]!), record);
    await expect(restore(fixture, points[0]!)).rejects.toMatchObject({ code: "point-ended" });
    expect((await prune(fixture)).recordsDeleted).toBe(1);
  });

  test("a pack that is gone is named", async () => {
    const { fixture } = await openSeries("lost pack");
    const [lost] = namesOf(fixture, "pack");
    fixture.objects.delete(`${fixtureDomain}/${lost}`);
    const { plan } = await prune(fixture);
    expect(plan.findings).toEqual([
      expect.objectContaining({
        severity: "damage",
        code: "object-missing",
        key: `${fixtureDomain}/${lost}`,
      }),
    ]);
  });
});

/** Makes a point's record say that its table is one which leaves out its oldest pack. */
async function forgeTable(fixture: Fixture, session: string): Promise<string> {
  const address = { series: seriesHash(fixture.keys, "disk"), session };
  const content = await readSlot(fixture, address, call);
  const record = (content as { record: PointRecord }).record;
  const [volume] = record.volumes;
  const table = await openVolumeReader(fixture, { series: address.series, volume: volume! }, call).table();
  const left = [...table.uses("pack")][0]!;
  table.addReference("pack", left, -left.references);
  const lane = newLaneId(fixture.random);
  const shared = { store: fixture.store, keys: fixture.keys, session, lane };
  const packs = { kind: "map", secret: fixture.keys.mapKey, packBytes: 65_536, packsInFlight: 1 } as const;
  const stream = new PackStream({ ...shared, ...packs }, call);
  const place = { series: address.series, volumeId: volume!.volumeId };
  const plain = encodePackTable(table);
  const tables = await openPageWriter(shared, stream).writeParts(place, {
    kind: itemKinds.table,
    volume: 0,
    plain,
  });
  await stream.flush();
  const [pack] = stream.takeStored();
  const forged = { ...record, lane, volumes: [{ ...volume!, tables }], tablePacks: [pack!] };
  const name = slotOf(fixture, session);
  const bytes = encodeObject(fixture.keys, fixture.random, {
    name,
    kind: "record",
    body: encodeRecord(forged),
  });
  fixture.objects.set(name, { bytes, modifiedMs: fixture.clock.now() });
  return left.session;
}

describe("the audit of tables", () => {
  test("finds a table that leaves out a pack, and keeps all that the point may reach", async () => {
    const { fixture, disk, points } = await openSeries("forged table");
    const lostSession = await forgeTable(fixture, points[2]!);
    expect(lostSession).toBe(points[0]);
    await end(fixture, points[0]!);
    await end(fixture, points[1]!);
    for (let pass = 0; pass < 2; pass++) {
      const { plan } = await prune(fixture);
      expect(plan.findings.map(({ code, point }) => `${code} ${point}`)).toEqual([
        `table-wrong ${points[2]}`,
      ]);
      expect(plan.packs.map((packs) => packs.session)).not.toContain(lostSession);
      expect(plan.moves.candidates).toEqual([]);
    }
    expect(firstDifference(await restore(fixture, points[2]!), disk.copy())).toBeUndefined();
  });

  test("reads the pages of a point once, and never again", async () => {
    const { fixture, points } = await openSeries("audited once");
    await prune(fixture);
    const maps = namesOf(fixture, "map");
    let leavesRead = 0;
    const store = {
      ...fixture.store,
      read: async (...args: Parameters<typeof fixture.store.read>) => {
        if (args[0].includes("/map/")) leavesRead++;
        return fixture.store.read(...args);
      },
    };
    await planPrune(keeperOf(fixture, store), eager, call);
    // One table part of each point.
    expect(leavesRead).toBe(points.length);
    expect(maps.length).toBeGreaterThan(0);
  });

  test("a note that the keeper did not sign proves nothing", async () => {
    const { fixture, points, series } = await openSeries("forged audit");
    await forgeTable(fixture, points[2]!);
    const stranger = openFixture("stranger").repository.controlPrivateKey(fixtureDomain);
    const body = { lists: [{ series, sessions: points[2] }] };
    await writeNote({ ...keeperOf(fixture), controlPrivateKey: stranger }, { kind: "audit", body }, call);
    const { plan } = await prune(fixture);
    expect(plan.findings.map((finding) => finding.code)).toEqual(["table-wrong"]);
  });

  test("a point whose pages can't be read before its table is proven keeps everything", async () => {
    const { fixture, points } = await openSeries("unreadable");
    await end(fixture, points[0]!);
    const [map] = namesOf(fixture, `map/${points[2]}`);
    const object = fixture.objects.get(`${fixtureDomain}/${map}`)!;
    object.bytes.fill(0xee, 32, 200);
    const before = namesOf(fixture, "pack", "map");
    const { plan } = await prune(fixture);
    expect(plan.findings.map((finding) => finding.code)).toEqual(["page-damaged"]);
    expect(namesOf(fixture, "pack", "map")).toEqual(before);
    expect(plan.kept.some((kept) => kept.why === "unsettled")).toBe(true);
  });
});

test("windows of any size give the same plan", async () => {
  const { fixture, points } = await openSeries("windows");
  await end(fixture, points[0]!);
  const plans = [];
  for (const windowPacks of [1, 2, 3_000_000]) {
    const { packs, kept, forwards, moves } = await planPrune(
      keeperOf(fixture),
      { ...eager, windowPacks },
      call,
    );
    plans.push({ packs, kept, forwards, moves });
  }
  expect(plans[0]!.packs.length).toBeGreaterThan(0);
  expect(plans[1]).toEqual(plans[0]);
  expect(plans[2]).toEqual(plans[0]);
});

test("the keeper's own clock decides nothing", async () => {
  const { fixture, points } = await openSeries("clocks");
  await end(fixture, points[0]!);
  const sessionId = await drawSession(fixture);
  const name = openName(fixtureDomain, sessionId);
  const series = seriesHash(fixture.keys, "disk");
  const body = Buffer.from(JSON.stringify({ kind: "backup", series, bases: [], volumes: [] }));
  const bytes = encodeObject(fixture.keys, fixture.random, { name, kind: "open", body });
  await fixture.store.create(name, bytes, call);
  for (const offsetMs of [-10 * dayMs, 10 * dayMs]) {
    const clock = { now: () => fixture.clock.now() + offsetMs, sleep: fixture.clock.sleep };
    const plan = await planPrune({ ...keeperOf(fixture), clock }, {}, call);
    expect(plan.fences).toEqual([]);
    expect(plan.records).toEqual([]);
  }
});
