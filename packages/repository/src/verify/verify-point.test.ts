import { seededRandom } from "@garrison/core/random";
import { describe, expect, test } from "vitest";
import { blockSizeBytes, type BlockSource } from "../disk/block-source.ts";
import { flipByte, keysOf } from "../simulation/damage.ts";
import {
  backUp,
  call,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import { drawDistinct } from "./draw-distinct.ts";
import { verifyPoint, type VerifyPlan } from "./verify-point.ts";

const held = 60;

interface Scene {
  readonly fixture: Fixture;
  readonly disk: MemoryDisk;
  readonly point: string;
}

async function openScene(): Promise<Scene> {
  const fixture = openFixture("verify point");
  const disk = new MemoryDisk(1500);
  for (let index = 0; index < held; index++) disk.write(index * 23, fixture.random, 3000);
  const limits = { ...smallLimits, packBytes: 64 * 1024, leavesPerMark: 1 };
  const { point } = await backUp(fixture, { source: disk.source(), limits });
  disk.reads.length = 0;
  return { fixture, disk, point };
}

function verify(
  { fixture, point }: Scene,
  plan: Partial<VerifyPlan> & { readonly seed?: string; readonly store?: Fixture["store"] } = {},
) {
  const { seed = "seed", store = fixture.store, ...rest } = plan;
  const dependencies = {
    store,
    keys: fixture.keys,
    random: seededRandom(seed),
    sessionKeys: (session: string, epoch: number) =>
      fixture.repository.sessionDataKey(fixtureDomain, session, epoch),
  };
  return verifyPoint(dependencies, { series: "disk", point, volumeId: "vol-1", threads: 0, ...rest }, call);
}

const spans = (blocks: readonly number[]) =>
  blocks.map((block) => ({ offset: block * blockSizeBytes, length: blockSizeBytes }));

describe("the verification of a point", () => {
  test("opens every block of it", async () => {
    expect(await verify(await openScene())).toMatchObject({ blocksVerified: held, lost: [], differing: [] });
  });

  test("tells the bytes of damaged blocks and pages", async () => {
    const scene = await openScene();
    flipByte(scene.fixture.objects, keysOf(scene.fixture, "pack")[0]!, 1000);
    flipByte(scene.fixture.objects, keysOf(scene.fixture, "map")[1]!, 80);
    const lost = [...spans([0]), { offset: 512 * blockSizeBytes, length: 512 * blockSizeBytes }];
    expect((await verify(scene)).lost).toEqual(lost);
  });

  test("opens a share of the blocks, and other ones for another seed", async () => {
    const scene = await openScene();
    const store = openCountingObjectStore(scene.fixture.store);
    const { blocksVerified } = await verify(scene, { share: 0.1, store });
    expect(blocksVerified).toBe(held / 10);
    expect(store.counts.bytesRead).toBeLessThan(150_000);
  });

  test("finds any damaged page, however small the share", async () => {
    const scene = await openScene();
    flipByte(scene.fixture.objects, keysOf(scene.fixture, "map")[2]!, 80);
    expect((await verify(scene, { share: 0.01 })).lost).toHaveLength(1);
  });
});

describe("the verification against a source", () => {
  const sourceOf = (disk: MemoryDisk): BlockSource => disk.source([]);

  test("finds no difference, and reads nothing but records and pages", async () => {
    const scene = await openScene();
    const store = openCountingObjectStore({
      ...scene.fixture.store,
      read: (key, options) => {
        expect(key).not.toMatch(/\/pack\//);
        return scene.fixture.store.read(key, options);
      },
    });
    expect(await verify(scene, { source: sourceOf(scene.disk), store })).toMatchObject({
      blocksVerified: 1500,
      differing: [],
    });
  });

  test("tells the bytes that differ, zeros among them", async () => {
    const scene = await openScene();
    scene.disk.write(23, scene.fixture.random);
    scene.disk.write(700, scene.fixture.random);
    scene.disk.erase(46);
    expect((await verify(scene, { source: sourceOf(scene.disk) })).differing).toEqual(spans([23, 46, 700]));
  });

  test("reads no more blocks than the share says of held ones and as many anywhere", async () => {
    const scene = await openScene();
    const { blocksVerified } = await verify(scene, { source: sourceOf(scene.disk), share: 0.1 });
    expect(blocksVerified).toBeGreaterThan(6);
    expect(blocksVerified).toBeLessThanOrEqual(12);
    expect(scene.disk.reads.length).toBeLessThanOrEqual(12);
  });

  test("finds a difference as often as is said of it", async () => {
    const scene = await openScene();
    for (let index = 0; index < 12; index++) scene.disk.write(index * 115, scene.fixture.random);
    const source = sourceOf(scene.disk);
    const [rounds, drawn] = [300, 3];
    let found = 0;
    for (let round = 0; round < rounds; round++) {
      const { differing } = await verify(scene, { source, share: drawn / held, seed: `${round}` });
      if (differing.length > 0) found++;
    }
    const exact = 1 - (1 - 12 / held) ** drawn * (1 - 12 / 1500) ** drawn;
    const spread = 3 * Math.sqrt((exact * (1 - exact)) / rounds);
    expect(Math.abs(found / rounds - exact)).toBeLessThan(spread + 0.02);
  });

  test("refuses a source of another size", async () => {
    const scene = await openScene();
    const source = new MemoryDisk(1499).source([]);
    await expect(verify(scene, { source })).rejects.toMatchObject({ code: "source-invalid" });
  });
});

describe("drawing", () => {
  test("gives different numbers in order, all equally often", () => {
    const random = seededRandom("draw");
    const counts = Array.from({ length: 20 }, () => 0);
    for (let round = 0; round < 4000; round++) {
      const drawn = drawDistinct(random, { count: 5, below: 20 });
      expect(drawn).toEqual([...new Set(drawn)].toSorted((a, b) => a - b));
      expect(drawn).toHaveLength(5);
      for (const number of drawn) counts[number]!++;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});
