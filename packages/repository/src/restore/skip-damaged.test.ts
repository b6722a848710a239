import { silentLogger } from "@garrison/core/logger";
import { describe, expect, test } from "vitest";
import { blockSizeBytes } from "../disk/block-source.ts";
import { flipByte, keysOf, runCheck, strangersForward } from "../simulation/damage.ts";
import {
  backUp,
  call,
  fixtureDomain,
  MemoryDisk,
  memoryTarget,
  openFixture,
  restore,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { restoreVolume } from "./restore-volume.ts";

const limits = { ...smallLimits, packBytes: 160 * 1024, leavesPerMark: 1 };
const indexes = [0, 10, 20, 30, 600, 1100];

interface Scene {
  readonly fixture: Fixture;
  readonly disk: MemoryDisk;
  readonly point: string;
}

/** Six blocks in two packs, three leaves in a map pack each. */
async function openScene(): Promise<Scene> {
  const fixture = openFixture("skip");
  const disk = new MemoryDisk(1200);
  for (const index of indexes) disk.write(index, fixture.random, 50_000);
  const { point } = await backUp(fixture, { source: disk.source(), limits });
  return { fixture, disk, point };
}

/** Restores what can be read; answers which bytes are told to be lost, and which blocks differ from the disk. */
async function restoreRest({ fixture, disk, point }: Scene, isZeroFilled = true) {
  const memory = memoryTarget();
  const write: typeof memory.write = async (block, call) =>
    indexes.includes(block.index) ? memory.write(block, call) : undefined;
  const target = { ...memory, isZeroFilled, write };
  const { lost } = await restoreVolume(
    {
      store: fixture.store,
      keys: fixture.keys,
      logger: silentLogger,
      sessionKeys: (session, epoch) => fixture.repository.sessionDataKey(fixtureDomain, session, epoch),
    },
    { series: "disk", point, volumeId: "vol-1", target, threads: 0, skipDamaged: true },
    call,
  );
  const zero = Buffer.alloc(blockSizeBytes);
  const wrong = indexes.filter(
    (index) => Buffer.compare(target.blocks.get(index) ?? zero, disk.blocks.get(index)!) !== 0,
  );
  for (const index of wrong) expect(zero.equals(target.blocks.get(index) ?? zero)).toBe(true);
  return { lost, wrong };
}

const spans = (blocks: readonly number[]) =>
  blocks.map((block) => ({ offset: block * blockSizeBytes, length: blockSizeBytes }));

describe("a restore that skips what is damaged", () => {
  test("loses nothing of a whole point", async () => {
    expect(await restoreRest(await openScene())).toEqual({ lost: [], wrong: [] });
  });

  test("writes zeros for a damaged block, and all others", async () => {
    const scene = await openScene();
    flipByte(scene.fixture.objects, keysOf(scene.fixture, "pack")[0]!, 60_000);
    expect(await restoreRest(scene)).toEqual({ lost: spans([10]), wrong: [10] });
  });

  test("is not stopped by a stranger's forward beside a damaged block", async () => {
    const scene = await openScene();
    const [pack] = keysOf(scene.fixture, "pack");
    flipByte(scene.fixture.objects, pack!, 60_000);
    await scene.fixture.store.create(...strangersForward(pack!), call);
    expect(await restoreRest(scene)).toEqual({ lost: spans([10]), wrong: [10] });
  });

  test("writes zeros for all blocks of a pack that is gone", async () => {
    const scene = await openScene();
    scene.fixture.objects.delete(keysOf(scene.fixture, "pack")[0]!);
    expect(await restoreRest(scene)).toEqual({ lost: spans([0, 10, 20]), wrong: [0, 10, 20] });
  });

  test.each([true, false])(
    "leaves out what is below a damaged leaf (zero filled: %s)",
    async (isZeroFilled) => {
      const scene = await openScene();
      flipByte(scene.fixture.objects, keysOf(scene.fixture, "map")[1]!, 80);
      expect(await restoreRest(scene, isZeroFilled)).toEqual({
        lost: [{ offset: 512 * blockSizeBytes, length: 512 * blockSizeBytes }],
        wrong: [600],
      });
    },
  );

  test("leaves out everything below a damaged inner page", async () => {
    const scene = await openScene();
    scene.fixture.objects.delete(keysOf(scene.fixture, "map").at(-2)!);
    const { lost, wrong } = await restoreRest(scene);
    expect({ lost, wrong }).toEqual({ lost: [{ offset: 0, length: 1200 * blockSizeBytes }], wrong: indexes });
  });
});

describe("a restore of a point that is known to be damaged", () => {
  test("is refused with the bytes that are lost before anything is written", async () => {
    const scene = await openScene();
    scene.fixture.objects.delete(keysOf(scene.fixture, "pack")[0]!);
    await runCheck(scene.fixture, { level: "structure", remembers: true });
    await expect(restore(scene.fixture, scene.point)).rejects.toMatchObject({
      code: "point-damaged",
      details: { volumeId: "vol-1", ranges: spans([0, 10, 20]) },
    });
  });

  test("is not refused for a point that has lost nothing", async () => {
    const scene = await openScene();
    const disk = new MemoryDisk(1200);
    for (const index of indexes) disk.write(index, scene.fixture.random, 50_000);
    const other = await backUp(scene.fixture, { source: disk.source(), series: "other", limits });
    scene.fixture.objects.delete(keysOf(scene.fixture, "pack", scene.point)[0]!);
    await runCheck(scene.fixture, { level: "structure", remembers: true });
    expect((await restore(scene.fixture, other.point, { series: "other" })).size).toBe(indexes.length);
  });
});
