import { expect, test } from "vitest";
import { dayMs } from "@garrison/core/units";
import { isDecisiveName, pointName, seriesHash } from "../format/object-names.ts";
import {
  backUp,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  restore,
} from "../simulation/engine-fixture.ts";
import { eager, end, prune } from "../simulation/prune-fixture.ts";
import { openUnshadowedObjectStore } from "../store/unshadowed-object-store.ts";
import { openVersionedMemoryStore, type VersionedMemoryOptions } from "../store/versioned-memory-store.ts";

async function openBucket(seed: string, options: Partial<VersionedMemoryOptions> = {}) {
  const plain = openFixture(seed);
  const store = openVersionedMemoryStore({ clock: plain.clock, ...options });
  const fixture = { ...plain, store };
  const disk = new MemoryDisk(40);
  for (let block = 0; block < 12; block++) disk.write(block, fixture.random, 90_000);
  const { point: first } = await backUp(fixture, { source: disk.source() });
  for (let block = 0; block < 12; block++) disk.write(block, fixture.random, 90_000);
  const { point: second } = await backUp(fixture, { source: disk.source(), parent: first });
  const namesIn = (folder: string) =>
    [...store.objects.keys()].filter((key) => key.startsWith(`${fixtureDomain}/${folder}`));
  return { fixture, store, disk, first, second, namesIn };
}

test("what is deleted in a bucket with versions is gone, markers and all", async () => {
  const { fixture, store, first, second, namesIn } = await openBucket("versions");
  await end(fixture, first);
  const [hidden, overwritten] = namesIn(`pack/${first}`);
  store.hide(hidden!);
  store.overwrite(overwritten!, Buffer.from("rubbish"));
  const { packsDeleted } = await prune(fixture);
  expect(packsDeleted).toBeGreaterThan(0);
  for (const folder of ["pack", "map", "point", "session"])
    expect(namesIn(`${folder}/`).join(" ")).not.toContain(first);
  await restore(fixture, second);
});

test("a record under somebody's delete marker, or under other bytes, is still a root", async () => {
  for (const how of ["hidden", "overwritten"] as const) {
    const { fixture, store, disk, first, second } = await openBucket(`shadowed ${how}`);
    await end(fixture, first);
    const record = pointName(fixtureDomain, seriesHash(fixture.keys, "disk"), second);
    if (how === "hidden") store.hide(record);
    else store.overwrite(record, Buffer.from("not a record"));
    for (let pass = 0; pass < 2; pass++) expect((await prune(fixture)).plan.findings).toEqual([]);
    const unshadowed = openUnshadowedObjectStore(store, { isDecisive: isDecisiveName });
    expect(
      firstDifference(await restore(fixture, second, { store: unshadowed }), disk.copy()),
    ).toBeUndefined();
  }
});

test("what a lock holds stays and is reported, and goes when the lock is over", async () => {
  const lock = {
    lockMode: "compliance",
    defaultRetention: { mode: "compliance", durationMs: 5 * dayMs },
  } as const;
  const { fixture, first, namesIn } = await openBucket("locked", lock);
  await end(fixture, first);
  const packs = namesIn(`pack/${first}`);
  const summary = await prune(fixture);
  expect(summary.packsDeleted).toBe(0);
  expect(summary.bytesDeleted).toBe(0);
  expect(summary.refused).toEqual(expect.arrayContaining(packs));
  expect(namesIn(`pack/${first}`)).toEqual(packs);
  await fixture.clock.advance(6 * dayMs);
  const later = await prune(fixture, { ...eager, graceMs: dayMs });
  expect(later.refused).toEqual([]);
  expect(namesIn(`pack/${first}`)).toEqual([]);
});
