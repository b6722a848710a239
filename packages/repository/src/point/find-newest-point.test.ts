import { expect, test } from "vitest";
import { dayMs } from "@garrison/core/units";
import { endPoint, giveUpSession } from "../keeper/end-session.ts";
import {
  backUp,
  call,
  drawSession,
  fixtureDomain,
  MemoryDisk,
  openFixture,
} from "../simulation/engine-fixture.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import { findNewestPoint } from "./find-newest-point.ts";
import { findPoint } from "./list-points.ts";

/** A series of points, one a day. */
async function openSeries(days: number) {
  const fixture = openFixture("newest");
  const disk = new MemoryDisk(10);
  disk.write(1, fixture.random);
  const points: string[] = [];
  for (let day = 0; day < days; day++) {
    await fixture.clock.advance(dayMs - 5000);
    points.push((await backUp(fixture, { source: disk.source() })).point);
  }
  const control = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
  return { fixture, points, control };
}

test("the newest point of a series is found without listing all of it", async () => {
  const { fixture, points } = await openSeries(30);
  const store = openCountingObjectStore(fixture.store);
  const found = await findNewestPoint({ ...fixture, store }, "disk", call);
  expect(found?.sessionId).toBe(points.at(-1));
  // Slots and ends of the last day; the slot once more to read it.
  expect(store.counts).toMatchObject({ lists: 3, reads: 1 });
});

test("ended and given-up sessions are passed over, however far back the newest point lies", async () => {
  const { fixture, points, control } = await openSeries(12);
  for (const sessionId of points.slice(3)) await endPoint(control, { series: "disk", sessionId }, call);
  await giveUpSession(fixture, { series: "disk", sessionId: await drawSession(fixture) }, call);
  for (const daysLater of [0, 100, 3000]) {
    await fixture.clock.advance(daysLater * dayMs);
    expect((await findNewestPoint(fixture, "disk", call))?.sessionId).toBe(points[2]);
  }
});

test("a clock that is wrong changes nothing", async () => {
  const { fixture, points } = await openSeries(5);
  for (const offMs of [-400 * dayMs, -3 * dayMs, 10 * dayMs, 10_000 * dayMs]) {
    const clock = { now: () => fixture.clock.now() + offMs };
    expect((await findNewestPoint({ ...fixture, clock }, "disk", call))?.sessionId).toBe(points.at(-1));
  }
  expect(await findNewestPoint({ ...fixture, clock: { now: () => 0 } }, "disk", call)).toBeDefined();
  expect(await findNewestPoint(fixture, "other", call)).toBeUndefined();
});

test("a point is found by its id alone, with one record read", async () => {
  const { fixture, points, control } = await openSeries(6);
  const store = openCountingObjectStore(fixture.store);
  expect((await findPoint({ ...fixture, store }, points[2]!, call))?.series).toBe("disk");
  expect(store.counts.reads).toBe(1);
  await endPoint(control, { series: "disk", sessionId: points[2]! }, call);
  expect(await findPoint(fixture, points[2]!, call)).toBeUndefined();
  expect(await findPoint(fixture, "00".repeat(8), call)).toBeUndefined();
});
