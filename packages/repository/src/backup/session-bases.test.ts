import { expect, test } from "vitest";
import { silentLogger } from "@garrison/core/logger";
import { seriesHash } from "../format/object-names.ts";
import { backUp, call, drawSession, MemoryDisk, openFixture } from "../simulation/engine-fixture.ts";
import { end } from "../simulation/prune-fixture.ts";
import { readEarlierBases, SessionBases, storeBase } from "./session-bases.ts";

/** A session of which an earlier lane has named a point as a base, and died before it shook hands. */
async function openResumed(seed: string) {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(40);
  disk.write(0, fixture.random);
  const { point } = await backUp(fixture, { source: disk.source() });
  const dependencies = { ...fixture, logger: silentLogger };
  const base = { series: seriesHash(fixture.keys, "disk"), session: point };
  const sessionId = await drawSession(fixture);
  const opened = { kind: "backup", series: base.series, bases: [], volumes: [] } as const;
  await storeBase(dependencies, { sessionId, base }, call);
  const open = async () => {
    const earlier = await readEarlierBases(dependencies, { sessionId, opened }, call);
    return new SessionBases(dependencies, { sessionId, ...earlier }, call);
  };
  return { fixture, base, open };
}

test("a base that an earlier lane named and that has ended is kept for what was taken, and gives nothing new", async () => {
  const { fixture, base, open } = await openResumed("ended");
  await end(fixture, base.session);
  const bases = await open();
  expect(await bases.add(base)).toBeUndefined();
  expect(bases.held.map((held) => held.base)).toEqual([base]);
});

test("a base that an earlier lane named and that lives on is shaken hands with, and named no second time", async () => {
  const { fixture, base, open } = await openResumed("alive");
  const before = fixture.objects.size;
  expect((await (await open()).add(base))?.session).toBe(base.session);
  expect(fixture.objects.size).toBe(before);
});
