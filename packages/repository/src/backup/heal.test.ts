import { expect, test } from "vitest";
import type { BlockSource } from "../disk/block-source.ts";
import { cutObject, flipByte, keysOf, runCheck } from "../simulation/damage.ts";
import {
  backUp,
  firstDifference,
  MemoryDisk,
  openFixture,
  restore,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";

const limits = { ...smallLimits, packBytes: 160 * 1024, leavesPerMark: 1 };

interface Scene {
  readonly fixture: Fixture;
  readonly disk: MemoryDisk;
  readonly first: string;
}

/** A disk of 1,200 blocks, three leaves, and its first backup: packs of three blocks, a map pack for each leaf. */
async function openScene(): Promise<Scene> {
  const fixture = openFixture("heal");
  const disk = new MemoryDisk(1200);
  for (let index = 0; index < 60; index += 10) disk.write(index, fixture.random, 50_000);
  for (const index of [600, 1100]) disk.write(index, fixture.random, 50_000);
  const { point } = await backUp(fixture, { source: disk.source(), limits });
  return { fixture, disk, first: point };
}

/** Changes one block and backs that up on the first point. */
async function backUpChange(scene: Scene, coverage: "full" | "changes") {
  const { fixture, disk, first } = scene;
  disk.write(20, fixture.random, 50_000);
  disk.reads.length = 0;
  const source = disk.source(coverage === "full" ? undefined : [20]);
  return backUp(fixture, { source, parent: first, limits });
}

/** The point is as the disk is, and a full check finds nothing wrong with it. */
async function expectWhole(scene: Scene, point: string): Promise<void> {
  const { fixture, disk } = scene;
  expect(firstDifference(await restore(fixture, point), disk.copy())).toBeUndefined();
  const { findings, summary } = await runCheck(fixture);
  expect(summary.losses.map((loss) => loss.point)).not.toContain(point);
  expect(findings.filter((finding) => finding.point === point)).toEqual([]);
}

test("an incremental reads and stores a lost block that has not changed", async () => {
  const scene = await openScene();
  const pack = keysOf(scene.fixture, "pack", scene.first)[0]!;
  flipByte(scene.fixture.objects, pack, 60_000);
  await runCheck(scene.fixture, { remembers: true });
  const { point, volumes } = await backUpChange(scene, "changes");
  expect(scene.disk.reads.toSorted((a, b) => a - b)).toEqual([10, 20]);
  expect(volumes[0]).toMatchObject({ blocksStored: 2, blocksReused: 0 });
  await expectWhole(scene, point);
});

test("a full read stores lost blocks anew and nothing else that is equal", async () => {
  const scene = await openScene();
  scene.fixture.objects.delete(keysOf(scene.fixture, "pack", scene.first)[0]!);
  await runCheck(scene.fixture, { level: "structure", remembers: true });
  const { point, volumes } = await backUpChange(scene, "full");
  expect(volumes[0]).toMatchObject({ blocksStored: 3, blocksReused: 5 });
  await expectWhole(scene, point);
});

test("of a pack that was cut short only what lies behind the cut is read again", async () => {
  const scene = await openScene();
  cutObject(scene.fixture.objects, keysOf(scene.fixture, "pack", scene.first)[0]!, 60_000);
  await runCheck(scene.fixture, { level: "structure", remembers: true });
  const { point } = await backUpChange(scene, "changes");
  expect(scene.disk.reads.toSorted((a, b) => a - b)).toEqual([10, 20]);
  await expectWhole(scene, point);
});

test.each(["changes", "full"] as const)("a lost leaf is read again in full (%s)", async (coverage) => {
  const scene = await openScene();
  flipByte(scene.fixture.objects, keysOf(scene.fixture, "map", scene.first)[1]!, 80);
  await runCheck(scene.fixture, { remembers: true });
  const { point, volumes } = await backUpChange(scene, coverage);
  expect(scene.disk.reads).toContain(600);
  expect(volumes[0]).toMatchObject({ blocksStored: 2 });
  await expectWhole(scene, point);
});

test.each(["changes", "full"] as const)("a lost inner page is read again in full (%s)", async (coverage) => {
  const scene = await openScene();
  const inner = keysOf(scene.fixture, "map", scene.first).at(-2)!;
  flipByte(scene.fixture.objects, inner, 80);
  const { findings } = await runCheck(scene.fixture, { remembers: true });
  expect(findings).toEqual([expect.objectContaining({ code: "page-damaged", key: inner })]);
  const { point, volumes } = await backUpChange(scene, coverage);
  expect(volumes[0]).toMatchObject({ blocksStored: 8 });
  await expectWhole(scene, point);
});

test("a source of changes that can't name other blocks is told to read in full", async () => {
  const scene = await openScene();
  scene.fixture.objects.delete(keysOf(scene.fixture, "pack", scene.first)[0]!);
  await runCheck(scene.fixture, { level: "structure", remembers: true });
  const { locate: _, ...source }: BlockSource = scene.disk.source([20]);
  await expect(backUp(scene.fixture, { source, parent: scene.first, limits })).rejects.toMatchObject({
    code: "parent-unusable",
  });
});

test("what was lost of other points changes nothing", async () => {
  const scene = await openScene();
  const other = await backUp(scene.fixture, { source: scene.disk.source(), series: "other" });
  scene.fixture.objects.delete(keysOf(scene.fixture, "pack", other.point)[0]!);
  await runCheck(scene.fixture, { level: "structure", remembers: true });
  const { point } = await backUpChange(scene, "changes");
  expect(scene.disk.reads).toEqual([20]);
  await expectWhole(scene, point);
});
