import { expect, test } from "vitest";
import { runCheck } from "../simulation/damage.ts";
import { openFixture } from "../simulation/engine-fixture.ts";
import { eager, end, prune } from "../simulation/prune-fixture.ts";
import {
  backUpStream,
  restoreStreamBytes,
  streamBytes,
  withInsertion,
} from "../simulation/stream-fixture.ts";

test("a prune deletes what only an ended dump needed, sees which packs are mostly dead, and spoils no other dump", async () => {
  const fixture = openFixture("pruned");
  const before = streamBytes(fixture.random, 3_000_000);
  const { point: ended } = await backUpStream(fixture, { input: before });
  // Every third part of the old dump stays: its packs are needed by a third each.
  const kept = Array.from({ length: 10 }, (_, part) =>
    before.subarray(part * 300_000, part * 300_000 + 100_000),
  );
  const after = withInsertion(Buffer.concat(kept), 500_000, streamBytes(fixture.random, 100_000));
  const { point } = await backUpStream(fixture, { input: after, parent: ended });
  await end(fixture, ended, "dump");
  await fixture.clock.advance(1000);
  const { plan, packsDeleted } = await prune(fixture, { ...eager, repackBelow: 0.6 });
  expect(packsDeleted).toBeGreaterThan(1);
  const dead = plan.moves.candidates.filter((each) => each.session === ended);
  expect(dead.length).toBeGreaterThan(2);
  for (const { references, items } of dead) expect(references).toBeLessThan(items * 0.6);
  expect((await restoreStreamBytes(fixture, point)).bytes.equals(after)).toBe(true);
  expect((await runCheck(fixture)).findings).toEqual([]);
  const { point: third, volumes } = await backUpStream(fixture, { input: after, parent: point });
  expect(volumes[0]!.blocksStored).toBe(0);
  expect((await restoreStreamBytes(fixture, third)).bytes.equals(after)).toBe(true);
});
