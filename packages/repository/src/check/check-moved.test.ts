import { beforeEach, describe, expect, test } from "vitest";
import { readFooter } from "../backup/load-resume.ts";
import { blockSizeBytes } from "../disk/block-source.ts";
import { maxPackBytes } from "../format/format-limits.ts";
import { packName, parsePackName } from "../format/object-names.ts";
import { PackBuilder, type PackAddress } from "../format/pack-container.ts";
import {
  commitMoves,
  openKeeperSession,
  storeForward,
  type KeeperSession,
} from "../keeper/keeper-session.ts";
import { flipByte, keysOf, runCheck } from "../simulation/damage.ts";
import {
  backUp,
  call,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";

const limits = { ...smallLimits, packBytes: 160 * 1024 };
const keeperOf = (fixture: Fixture) => ({
  ...fixture,
  controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain),
});

/** Copies all items of a pack into a pack of the session, behind some that nobody needs, and deletes it. */
async function movePack(
  fixture: Fixture,
  moving: { readonly pack: PackAddress; readonly session: KeeperSession; readonly number: number },
) {
  const { keys, store, objects } = fixture;
  const { pack, session, number } = moving;
  const name = packName(keys.domain, pack.kind, pack);
  const { bytes } = objects.get(name)!;
  const footer = await readFooter(fixture, { address: pack, sizeBytes: bytes.length }, call);
  const target = { kind: pack.kind, session: session.sessionId, lane: session.laneId, number };
  const builder = new PackBuilder(target, { keys, itemKey: new Uint8Array(32) }, Buffer.alloc(maxPackBytes));
  const items = footer.map((entry) => {
    builder.appendSealed(entry, Buffer.alloc(50));
    const { offset, length, codec } = entry;
    const { offset: newOffset } = builder.appendSealed(entry, bytes.subarray(offset, offset + length));
    return { offset, length, newOffset, newLength: length, codec };
  });
  const stored = builder.finish();
  await store.create(packName(keys.domain, pack.kind, target), stored, call);
  await storeForward(keeperOf(fixture), { kind: pack.kind, origin: pack, target, items }, call);
  objects.delete(name);
  return { kind: pack.kind, lane: target.lane, number, items: footer.length * 2, sizeBytes: stored.length };
}

let fixture: Fixture;
let points: string[];

/** Two points of one disk, all of whose packs have been moved. */
beforeEach(async () => {
  fixture = openFixture("moved");
  const disk = new MemoryDisk(600);
  for (const index of [0, 10, 20, 550]) disk.write(index, fixture.random, 50_000);
  const first = await backUp(fixture, { source: disk.source(), limits });
  disk.write(10, fixture.random, 50_000);
  const second = await backUp(fixture, { source: disk.source([10]), parent: first.point, limits });
  points = [first.point, second.point];
  await fixture.clock.advance(1000);
  const session = await openKeeperSession(keeperOf(fixture), { bases: [] }, call);
  const packs = [...keysOf(fixture, "pack"), ...keysOf(fixture, "map")].map((key) => parsePackName(key)!);
  const made = [];
  for (const [number, pack] of packs.entries()) made.push(await movePack(fixture, { pack, session, number }));
  await commitMoves(keeperOf(fixture), { session, packs: made }, call);
});

describe("packs that have been moved", () => {
  test.each(["structure", "sample", "full"] as const)(
    "are as good as those that were not (%s)",
    async (level) => {
      expect(await runCheck(fixture, { level, share: 1 })).toMatchObject({ findings: [] });
    },
  );

  test("are read where they are now", async () => {
    const { summary } = await runCheck(fixture, { budget: {}, remembers: true });
    const sizes = [...keysOf(fixture, "pack"), ...keysOf(fixture, "map")].map(
      (key) => fixture.objects.get(key)!.bytes.length,
    );
    expect(summary.bytesRead).toBe(sizes.reduce((total, size) => total + size, 0));
  });

  test.each(["structure", "sample", "full"] as const)(
    "are missed when they are gone, with the bytes that they hold (%s)",
    async (level) => {
      const target = keysOf(fixture, "pack")[0]!;
      fixture.objects.delete(target);
      const { findings } = await runCheck(fixture, { level, share: 1 });
      const ranges = [0, 10, 20].map((block) => ({ offset: block * blockSizeBytes, length: blockSizeBytes }));
      expect(findings).toContainEqual(
        expect.objectContaining({
          key: target,
          hits: expect.arrayContaining([expect.objectContaining({ point: points[0], ranges })]),
        }),
      );
    },
  );

  test.each([{ level: "sample", share: 1 }, { level: "full" }] as const)(
    "are found damaged, for the points and bytes that need them ($level)",
    async (plan) => {
      const target = keysOf(fixture, "pack")[0]!;
      flipByte(fixture.objects, target, 1000);
      const { findings } = await runCheck(fixture, plan);
      const ranges = [{ offset: 0, length: blockSizeBytes }];
      expect(findings).toEqual([
        expect.objectContaining({
          code: "chunk-damaged",
          hits: points.map((point) => expect.objectContaining({ point, ranges })),
        }),
      ]);
    },
  );

  test("are no damage either where the moves were not committed: readers find them", async () => {
    const slot = keysOf(fixture, "point").find((key) => !points.some((point) => key.endsWith(point)))!;
    fixture.objects.delete(slot);
    for (const level of ["structure", "full"] as const) {
      expect((await runCheck(fixture, { level })).findings, level).toEqual([]);
    }
  });
});
