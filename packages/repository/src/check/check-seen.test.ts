import { beforeEach, expect, test } from "vitest";
import { endPoint, fenceSession } from "../keeper/end-session.ts";
import { keysOf, runCheck } from "../simulation/damage.ts";
import {
  backUp,
  call,
  drawSession,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  type Fixture,
} from "../simulation/engine-fixture.ts";

let fixture: Fixture;
const source = new MemoryDisk(4).source();

const point = async (sessionId?: string) =>
  (await backUp(fixture, { source, ...(sessionId === undefined ? {} : { sessionId }) })).point;

const slotOf = (session: string) => keysOf(fixture, "point", session)[0]!;

async function gaps(): Promise<readonly string[]> {
  const { findings } = await runCheck(fixture, { level: "structure" });
  return findings.map(({ severity, code, key, message }) => `${severity} ${code} ${key}: ${message}`);
}

beforeEach(() => {
  fixture = openFixture("seen");
});

test("a session that commits late under an earlier id, and points that have ended, are no gap", async () => {
  const early = await drawSession(fixture);
  const ended = await point();
  await point(early);
  await point();
  const keeper = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
  await endPoint(keeper, { series: "disk", sessionId: ended }, call);
  fixture.objects.delete(slotOf(ended));
  await point();
  expect(await gaps()).toEqual([]);
});

test("a point that is gone behind a fence is missed by the one that came after both", async () => {
  await point();
  const gone = await point();
  const keeper = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
  await fenceSession(keeper, { series: "disk", sessionId: await drawSession(fixture) }, call);
  const after = await point();
  await point();
  fixture.objects.delete(slotOf(gone));
  expect(await gaps()).toEqual([
    `notice point-vanished ${slotOf(after)}: of the 3 sessions of its series that were there before this point, 2 are left`,
  ]);
});

test("a point in whose place another session has committed since is missed all the same", async () => {
  const late = await drawSession(fixture);
  await point();
  const gone = await point();
  const keeper = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
  await fenceSession(keeper, { series: "disk", sessionId: await drawSession(fixture) }, call);
  const after = await point();
  await point(late);
  fixture.objects.delete(slotOf(gone));
  expect(await gaps()).toEqual([
    `notice point-vanished ${slotOf(after)}: of the 3 sessions of its series that were there before this point, other ones are there`,
  ]);
});

test("one whose successor names it is told once", async () => {
  const gone = await point();
  const after = await point();
  await point();
  fixture.objects.delete(slotOf(gone));
  expect(await gaps()).toEqual([
    `damage point-vanished ${slotOf(after)}: ${gone}, seen when this point was made, is gone without a tombstone`,
  ]);
});
