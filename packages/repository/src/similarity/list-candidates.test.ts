import { expect, test } from "vitest";
import { pointName } from "../format/object-names.ts";
import { call, fixtureDomain, openFixture } from "../simulation/engine-fixture.ts";
import { listCandidates } from "./list-candidates.ts";

const series = (number: number) => number.toString(16).padStart(32, "0");
const session = (number: number) => number.toString(16).padStart(16, "0");

async function openDomain(slots: readonly (readonly [number, number])[]) {
  const fixture = openFixture("candidates");
  for (const [of, at] of slots)
    await fixture.store.create(pointName(fixtureDomain, series(of), session(at)), Buffer.from("x"), call);
  return fixture;
}

const point = (of: number, at: number) => ({ series: series(of), session: session(at) });

test("the named come first, then the own series, then the newest of the others", async () => {
  const fixture = await openDomain([
    [1, 10],
    [1, 40],
    [2, 30],
    [3, 20],
    [4, 50],
  ]);
  const wish = { sessionId: session(99), series: series(3), named: [point(2, 30)] };
  expect(await listCandidates(fixture, wish, call)).toEqual([
    [point(2, 30)],
    [point(3, 20)],
    [point(4, 50)],
    [point(1, 40), point(1, 10)],
  ]);
});

test("a series offers its three newest slots, in case one is a fence, and never the session's own", async () => {
  const fixture = await openDomain([
    [1, 10],
    [1, 11],
    [1, 12],
    [1, 13],
    [1, 99],
  ]);
  const wish = { sessionId: session(99), series: series(1), named: [] };
  expect(await listCandidates(fixture, wish, call)).toEqual([[point(1, 13), point(1, 12), point(1, 11)]]);
});

test("there are 64 at most", async () => {
  const fixture = await openDomain(Array.from({ length: 100 }, (_, number) => [number, number] as const));
  const wish = { sessionId: session(1000), series: series(500), named: [] };
  const found = await listCandidates(fixture, wish, call);
  expect(found).toHaveLength(64);
  expect(found[0]).toEqual([point(99, 99)]);
  expect(found[63]).toEqual([point(36, 36)]);
});
