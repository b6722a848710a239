import { beforeAll, describe, expect, test } from "vitest";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { CheckLevel, Finding } from "./check-plan.ts";
import { checkRepository } from "./check-repository.ts";
import { strangersForward } from "../simulation/damage.ts";
import {
  backUp,
  call,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  restore,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openMemoryObjectStore, type MemoryObjects } from "../store/memory-object-store.ts";

const limits = { ...smallLimits, packBytes: 160 * 1024 };

interface Scene {
  readonly fixture: Fixture;
  /** What each restore point must give back. */
  readonly points: ReadonlyMap<string, ReadonlyMap<number, Uint8Array>>;
}

async function openScene(): Promise<Scene> {
  const fixture = openFixture("damage");
  const disk = new MemoryDisk(1200);
  const points = new Map<string, ReadonlyMap<number, Uint8Array>>();
  for (let index = 0; index < 6; index++) disk.write(index * 200, fixture.random, 50_000);
  const first = await backUp(fixture, { source: disk.source(), limits });
  points.set(first.point, disk.copy());
  for (const index of [0, 3, 1199]) disk.write(index, fixture.random, 50_000);
  const second = await backUp(fixture, { source: disk.source([0, 3, 1199]), parent: first.point, limits });
  points.set(second.point, disk.copy());
  return { fixture, points };
}

async function check(scene: Scene, objects: MemoryObjects, level: CheckLevel): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const store = openMemoryObjectStore(scene.fixture.clock, objects);
  const plan = { level, domain: fixtureDomain, threads: 0 };
  for await (const finding of checkRepository({ ...scene.fixture, store }, plan, call)) found.push(finding);
  return found;
}

/** Restores every point: right bytes or a named error. Answers how many failed. */
async function restoreAll(scene: Scene, objects: MemoryObjects): Promise<number> {
  const store = openMemoryObjectStore(scene.fixture.clock, objects);
  let failed = 0;
  for (const [point, wanted] of scene.points) {
    try {
      expect(firstDifference(await restore(scene.fixture, point, { store }), wanted)).toBeUndefined();
    } catch (error) {
      if (!isGarrisonError(error)) throw error;
      expect(error.code).toMatch(/^(object|page|chunk)-|^point-missing$/);
      failed++;
    }
  }
  return failed;
}

type Damage = (objects: MemoryObjects, key: string) => void;

const change = (objects: MemoryObjects, key: string, edit: (bytes: Uint8Array) => Uint8Array) => {
  const object = objects.get(key)!;
  objects.set(key, { ...object, bytes: edit(new Uint8Array(object.bytes)) });
};
const flipAt =
  (share: number): Damage =>
  (objects, key) =>
    change(objects, key, (bytes) => {
      bytes[Math.min(bytes.length - 1, Math.floor(bytes.length * share))]! ^= 4;
      return bytes;
    });

const damages: Readonly<Record<string, Damage>> = {
  "flipped at its start": flipAt(0),
  "flipped in its header": (objects, key) =>
    change(objects, key, (bytes) => bytes.map((byte, at) => (at === 26 ? byte ^ 1 : byte))),
  "flipped at a third": flipAt(1 / 3),
  "flipped at two thirds": flipAt(2 / 3),
  "flipped at its end": flipAt(1),
  "shorter by a byte": (objects, key) => change(objects, key, (bytes) => bytes.subarray(0, -1)),
  "half as long": (objects, key) => change(objects, key, (bytes) => bytes.subarray(0, bytes.length >> 1)),
  empty: (objects, key) => change(objects, key, () => new Uint8Array(0)),
  "longer by a byte": (objects, key) =>
    change(objects, key, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])),
};

describe("check", () => {
  let scene: Scene;
  let keys: readonly string[];
  let newestPoint: string;
  beforeAll(async () => {
    scene = await openScene();
    keys = [...scene.fixture.objects.keys()].filter((key) => /\/(pack|map|point)\//.test(key));
    newestPoint = [...scene.points.keys()].at(-1)!;
  });

  test("finds nothing in an intact repository", async () => {
    expect(keys.length).toBeGreaterThan(7);
    expect(await check(scene, scene.fixture.objects, "full")).toEqual([]);
    expect(await restoreAll(scene, scene.fixture.objects)).toBe(0);
  });

  test.each(Object.keys(damages))(
    "finds each pack, map pack and record that is %s; a restore never gives wrong bytes",
    async (name) => {
      for (const key of keys) {
        const objects = new Map(scene.fixture.objects);
        damages[name]!(objects, key);
        const found = (await check(scene, objects, "full")).filter(
          (finding) => finding.severity === "damage",
        );
        expect(
          found.map((finding) => finding.key),
          key,
        ).not.toEqual([]);
        await restoreAll(scene, objects);
      }
    },
  );

  test("finds what is missing or has another length without reading it", async () => {
    for (const key of keys.filter((each) => !each.includes("/point/"))) {
      for (const damage of [damages["shorter by a byte"]!, (objects: MemoryObjects) => objects.delete(key)]) {
        const objects = new Map(scene.fixture.objects);
        damage(objects, key);
        const found = await check(scene, objects, "structure");
        expect(found.length, key).toBeGreaterThan(0);
        await restoreAll(scene, objects);
      }
    }
  });

  test("finds packs, map packs and records that have changed places", async () => {
    for (const kind of ["/pack/", "/map/", "/point/"]) {
      const [left, right] = keys.filter((key) => key.includes(kind));
      const objects = new Map(scene.fixture.objects);
      objects.set(left!, scene.fixture.objects.get(right!)!);
      objects.set(right!, scene.fixture.objects.get(left!)!);
      expect((await check(scene, objects, "full")).length, kind).toBeGreaterThan(0);
      expect(await restoreAll(scene, objects), kind).toBeGreaterThan(0);
    }
  });

  test("names the blocks and the points that a damaged chunk hits, and nothing else", async () => {
    const { point } = { point: newestPoint };
    const key = keys.find((each) => each.includes("/pack/") && each.includes(point))!;
    const objects = new Map(scene.fixture.objects);
    change(objects, key, (bytes) => bytes.map((byte, at) => (at === 5_000 ? byte ^ 1 : byte)));
    expect(await check(scene, objects, "full")).toEqual([
      expect.objectContaining({
        severity: "damage",
        code: "chunk-damaged",
        key,
        point,
        volumeId: "vol-1",
        range: { offset: 0, length: 524_288 },
      }),
    ]);
    expect(await restoreAll(scene, objects)).toBe(1);
  });

  test("goes on when a stranger's forward claims to lead from damaged packs to another copy", async () => {
    const packs = keys.filter((key) => /\/(pack|map)\//.test(key));
    const objects = new Map(scene.fixture.objects);
    for (const key of packs) {
      change(objects, key, (bytes) => bytes.map((byte, at) => (at === 5_000 ? byte ^ 1 : byte)));
      const [name, bytes] = strangersForward(key);
      objects.set(name, { bytes, modifiedMs: 0 });
    }
    const found = await check(scene, objects, "full");
    const damaged = packs.filter((key) => objects.get(key)!.bytes.length > 5_000);
    expect(damaged.length).toBeGreaterThan(1);
    expect(found.map(({ key }) => key)).toEqual(expect.arrayContaining(damaged));
  });

  test("finds a record that has vanished by the one that came after it", async () => {
    const first = [...scene.points.keys()][0]!;
    const objects = new Map(scene.fixture.objects);
    objects.delete(keys.find((key) => key.includes("/point/") && key.includes(first))!);
    expect((await check(scene, objects, "structure")).map((finding) => finding.code)).toContain(
      "point-vanished",
    );
  });

  test("reports strangers' objects and unsigned tombstones, and believes neither", async () => {
    const objects = new Map(scene.fixture.objects);
    const record = keys.find((key) => key.includes("/point/") && key.includes(newestPoint))!;
    const stranger = { bytes: Buffer.from("hello"), modifiedMs: 0 };
    objects.set(`${fixtureDomain}/point/hello`, stranger);
    objects.set(record.replace("/point/", "/end/"), stranger);
    const found = await check(scene, objects, "structure");
    expect(found.map((finding) => finding.code).sort()).toEqual(["foreign-object", "tombstone-unsigned"]);
    expect(await restoreAll(scene, objects)).toBe(0);
  });
});
