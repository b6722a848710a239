import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dayMs } from "@garrison/core/units";
import { listPoints } from "../point/list-points.ts";
import { backUp, call, fixtureDomain, MemoryDisk, openFixture } from "../simulation/engine-fixture.ts";
import { executeExpiry } from "./execute-expiry.ts";
import { planExpiry, type ExpirablePoint, type RetentionRules } from "./plan-expiry.ts";

const nowMs = Date.parse("2026-06-01T00:00Z");

/** Points of one series, named by their times. */
const pointsAt = (...times: string[]): ExpirablePoint[] =>
  times.map((time) => ({ sessionId: time, series: "disk", createdAtMs: Date.parse(`${time}Z`) }));

function kept(points: readonly ExpirablePoint[], rules: RetentionRules): Record<string, readonly string[]> {
  const { decisions } = planExpiry(points, rules, nowMs);
  return Object.fromEntries(
    decisions
      .filter(({ outcome }) => outcome === "keep")
      .map(({ sessionId, reasons }) => [sessionId, reasons]),
  );
}

describe("a retention rule", () => {
  test("keeps the newest point of each period, in UTC", () => {
    const points = pointsAt(
      "2026-01-05T23:59:59",
      "2026-01-05T12:00",
      "2026-01-04T23:00",
      "2026-01-04T01:00",
      "2026-01-01T00:00",
      "2025-12-31T23:59",
    );
    expect(kept(points, { daily: 3 })).toEqual({
      "2026-01-05T23:59:59": ["the newest of its series", "daily 1 of 3 (2026-01-05)"],
      "2026-01-04T23:00": ["daily 2 of 3 (2026-01-04)"],
      "2026-01-01T00:00": ["daily 3 of 3 (2026-01-01)"],
    });
    expect(Object.keys(kept(points, { yearly: 5 }))).toEqual(["2026-01-05T23:59:59", "2025-12-31T23:59"]);
  });

  test("counts weeks from Monday, and hours and months by the clock", () => {
    const sunday = "2026-01-04T23:00";
    const monday = "2026-01-05T00:00";
    expect(kept(pointsAt(monday, sunday), { weekly: 4 })).toEqual({
      [monday]: ["the newest of its series", "weekly 1 of 4 (2026-01-05)"],
      [sunday]: ["weekly 2 of 4 (2025-12-29)"],
    });
    const hours = pointsAt("2026-03-01T01:10", "2026-03-01T01:05", "2026-03-01T00:59", "2026-02-28T23:00");
    expect(kept(hours, { hourly: 2, monthly: 2 })).toEqual({
      "2026-03-01T01:10": [
        "the newest of its series",
        "hourly 1 of 2 (2026-03-01T01:00)",
        "monthly 1 of 2 (2026-03)",
      ],
      "2026-03-01T00:59": ["hourly 2 of 2 (2026-03-01T00:00)"],
      "2026-02-28T23:00": ["monthly 2 of 2 (2026-02)"],
    });
  });

  test("counts time back from the newest point, so that nothing ends while no backups are made", () => {
    const points = pointsAt("2020-05-08T00:00", "2020-05-01T00:00", "2020-04-30T23:59");
    expect(Object.keys(kept(points, { withinMs: 7 * dayMs }))).toEqual([
      "2020-05-08T00:00",
      "2020-05-01T00:00",
    ]);
  });

  test("is asked for by its own series only", () => {
    const points = pointsAt("2026-01-02T00:00", "2026-01-01T00:00");
    const both = [...points, ...points.map((point) => ({ ...point, series: "other" }))];
    expect(
      planExpiry(both, { last: 1 }, nowMs).decisions.map(({ series, outcome }) => `${series} ${outcome}`),
    ).toEqual(["disk keep", "disk end", "other keep", "other end"]);
  });
});

test("rules that keep nothing are refused", () => {
  for (const rules of [{}, { daily: 0, last: 0 }, { daily: -1 }, { last: 1.5 }]) {
    expect(() => planExpiry(pointsAt("2026-01-01T00:00"), rules, nowMs)).toThrow(
      expect.objectContaining({ code: "usage" }),
    );
  }
});

test("the newest point never ends, and more rules never end more", () => {
  const count = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
  const rules = fc.record({ last: count, daily: count, weekly: count, monthly: count, withinMs: count });
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(times, rules, (hours, drawn) => {
      const some = Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined));
      const points = hours.map((hour) => ({
        sessionId: `${hour}`,
        series: "disk",
        createdAtMs: hour * 3_600_000,
      }));
      const ids = Object.keys(kept(points, { ...some, hourly: 1 }));
      expect(ids).toContain(`${Math.max(...hours)}`);
      const more = Object.keys(kept(points, { ...some, hourly: 1, yearly: 2 }));
      expect(more).toEqual(expect.arrayContaining(ids));
    }),
  );
});

test("executing a plan ends its points, and can be repeated", async () => {
  const fixture = openFixture("expiry");
  const keeper = { ...fixture, controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain) };
  const disk = new MemoryDisk(4);
  for (let day = 0; day < 4; day++) {
    disk.write(day, fixture.random);
    await backUp(fixture, { source: disk.source() });
    await fixture.clock.advance(dayMs);
  }
  const points = await listPoints(fixture, {}, call);
  const plan = planExpiry(points, { daily: 2 }, fixture.clock.now());
  const oldest = points.slice(0, 2).map((point) => point.sessionId);
  for (let times = 0; times < 2; times++) expect(await executeExpiry(keeper, plan, call)).toEqual(oldest);
  expect(await listPoints(fixture, {}, call)).toEqual(points.slice(2));
});
