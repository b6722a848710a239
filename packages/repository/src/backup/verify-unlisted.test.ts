import { describe, expect, test } from "vitest";
import { listPoints } from "../point/list-points.ts";
import { backUp, call, MemoryDisk, openFixture, type Fixture } from "../simulation/engine-fixture.ts";

const blocks = 2000;
const held = 200;

interface Scene {
  readonly fixture: Fixture;
  readonly disk: MemoryDisk;
  readonly first: string;
}

/** A tenth of the disk holds something. */
async function openScene(seed: string): Promise<Scene> {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(blocks);
  for (let index = 0; index < held; index++) disk.write(index * 10, fixture.random, 20);
  const { point } = await backUp(fixture, { source: disk.source() });
  disk.reads.length = 0;
  return { fixture, disk, first: point };
}

function backUpChanges({ fixture, disk, first }: Scene, changed: readonly number[], verifySample: number) {
  return backUp(fixture, { source: disk.source(changed), parent: first, verifySample });
}

describe("an incremental that is sampled against its source", () => {
  test("reads as many blocks as were asked for, at most, and is committed", async () => {
    const scene = await openScene("honest");
    scene.disk.write(10, scene.fixture.random, 20);
    const { point } = await backUpChanges(scene, [10], 40);
    expect(scene.disk.reads.length).toBeGreaterThan(15);
    expect(scene.disk.reads.length).toBeLessThanOrEqual(41);
    expect((await listPoints(scene.fixture, {}, call)).map((each) => each.sessionId)).toContain(point);
  });

  test("reads nothing more when it is not", async () => {
    const scene = await openScene("not sampled");
    scene.disk.write(10, scene.fixture.random, 20);
    await backUpChanges(scene, [10], 0);
    expect(scene.disk.reads).toEqual([10]);
  });

  test.each([
    ["has changed", (disk: MemoryDisk, fixture: Fixture) => disk.write(500, fixture.random, 20)],
    ["holds something now", (disk: MemoryDisk, fixture: Fixture) => disk.write(501, fixture.random, 20)],
    ["is zero now", (disk: MemoryDisk) => disk.erase(500)],
  ])("keeps no point when a block that is not listed %s", async (_, change) => {
    const scene = await openScene("lie");
    change(scene.disk, scene.fixture);
    await expect(backUpChanges(scene, [], 2 * blocks)).rejects.toMatchObject({
      code: "changed-list-lied",
      details: { volumeId: "vol-1" },
    });
    expect((await listPoints(scene.fixture, {}, call)).map((each) => each.sessionId)).toEqual([scene.first]);
  });

  test("catches a lying list as often as is said of it", async () => {
    const [lies, sample, histories] = [20, 8, 150];
    const scene = await openScene("probability");
    for (let index = 0; index < lies; index++) scene.disk.write(index * 100, scene.fixture.random, 20);
    let caught = 0;
    for (let history = 0; history < histories; history++) {
      const outcome = await backUpChanges(scene, [], sample).catch((error: unknown) => error);
      if (outcome instanceof Error) caught++;
    }
    const promised = 1 - (1 - lies / held) ** (sample / 2) * (1 - lies / blocks) ** (sample / 2);
    // Three standard deviations of so many histories.
    const spread = 3 * Math.sqrt((promised * (1 - promised)) / histories);
    expect(caught / histories).toBeGreaterThan(promised - spread);
    expect(caught / histories).toBeLessThan(promised + spread);
  }, 300_000);
});
