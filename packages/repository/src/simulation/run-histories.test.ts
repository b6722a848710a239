import { describe, expect, test } from "vitest";
import { formatFailure } from "./format-report.ts";
import { openProps } from "./open-props.ts";
import { runHistories } from "./run-histories.ts";
import { runHistory } from "./run-history.ts";
import { HistoryCounts } from "./world/history-counts.ts";
import { formatTraceLine } from "./world/trace.ts";

const props = await openProps();
const batches = 15;
const batchHistories = 10;

describe("whatever happens to writers, readers and keepers", () => {
  const counts = new HistoryCounts();

  test.each(Array.from({ length: batches }, (_, batch) => 1 + batch * batchHistories))(
    "no promise is broken (ten histories from seed %i)",
    async (firstSeed) => {
      const report = await runHistories(props, { firstSeed, histories: batchHistories });
      counts.merge(report.counts);
      expect(report.broken.map((history) => formatFailure(history, 60)).join("\n")).toBe("");
    },
  );

  test("every kind of fault has happened, and every kind of process has died", () => {
    const kindsOf = (group: string) => counts.kindsOf(group).map(([kind]) => kind);
    expect(kindsOf("faults")).toEqual([
      "conflict",
      "cut-off",
      "duplicate",
      "late",
      "lost-after",
      "lost-before",
      "refused",
    ]);
    const ours = kindsOf("processes").filter((role) => role !== "vandal");
    expect(kindsOf("deaths").filter((role) => role !== "vandal")).toEqual(ours);
  });

  test("records have vanished, and packs were moved while others ran", () => {
    expect(counts.total("vandal")).toBeGreaterThan(0);
    expect(new Map(counts.kindsOf("keeper")).get("packs moved while others ran")).toBeGreaterThan(0);
  });
});

test("the same seed gives the same history, step by step", async () => {
  const once = await runHistory(props, { seed: 7 });
  const again = await runHistory(await openProps(), { seed: 7 });
  expect(once.trace.length).toBeGreaterThan(100);
  expect(again.trace.map(formatTraceLine)).toEqual(once.trace.map(formatTraceLine));
});
