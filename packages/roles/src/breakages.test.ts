import { describe, expect, it } from "vitest";
import { allBreakages } from "./testing/breakages/all-breakages.ts";
import { applyPatches } from "./testing/breakages/apply-patches.ts";
import { checkStage, workingStage } from "./testing/breakages/working-stage.ts";
import type { Breakage } from "./testing/breakages/breakage.ts";
import type { ChainReport } from "./chain-report.ts";

function breakStage(row: Breakage) {
  const stage = workingStage(row.options);
  const asked = row.break(stage) ?? {};
  return { ...stage, request: { ...stage.request, ...asked } };
}

function failures({ findings }: ChainReport) {
  return findings.filter(({ verdict }) => verdict === "failed");
}

it("the setup works before it is broken, with and without read rights", async () => {
  for (const form of ["scoped", "compatible"] as const) {
    for (const withReadRights of [true, false]) {
      const report = await checkStage(workingStage({ form }), { withReadRights });
      expect(report.findings.filter(({ verdict }) => verdict !== "passed")).toEqual([]);
    }
  }
});

it("more than sixty breakages are seeded, each under a name of its own", () => {
  const names = allBreakages.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThan(60);
});

describe.each(allBreakages)("$name", (row) => {
  it("is reported at the right link, with the right statement", async () => {
    const found = failures(await checkStage(breakStage(row)));
    expect([...new Set(found.map(({ link }) => link))]).toEqual(row.links);
    expect(found[0]).toMatchObject({
      subject: row.subject,
      ...(row.action === undefined ? {} : { action: row.action }),
      ...(row.statement === undefined ? {} : { statement: row.statement }),
    });
    expect(found[0]?.sentence).toContain(row.sentence);
  });

  it("is mended by the printed patches, if policies can mend it at all", async () => {
    const stage = breakStage(row);
    const report = await checkStage(stage);
    applyPatches(stage.world, report);
    const again = await checkStage(stage);
    const isPatched = row.mendedBy !== "nobody" && row.links[0] !== "instance-profile";
    expect(again.verdict === "passed", JSON.stringify(failures(again), undefined, 2)).toBe(isPatched);
  });
});

describe.each(allBreakages.filter((row) => row.isUnseenBySimulator === true))("$name", (row) => {
  it("is found only with read rights: AWS's simulator passes it", async () => {
    expect((await checkStage(breakStage(row), { withReadRights: false })).verdict).toBe("passed");
  });
});
