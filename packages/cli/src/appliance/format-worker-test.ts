import { formatTable } from "../repository/format-points.ts";
import type { EndedWorkerTest } from "./worker-test-of.ts";

/** A worker test for a person: each check, then what was removed. */
export function formatWorkerTest(test: EndedWorkerTest): string {
  const { run, status, verdict, checks, failure, removed, left } = test;
  const rows = checks.map((one) => [one.check, one.verdict, one.sentence]);
  const table = rows.length === 0 ? "" : formatTable([["CHECK", "VERDICT", "WHAT IS KNOWN"], ...rows]);
  const lines = [
    ...(failure === undefined ? [] : [`${status}: ${failure}`]),
    `Removed: ${removed.length === 0 ? "nothing" : removed.map(({ what, resource }) => `${what} ${resource}`).join(", ")}`,
    ...left.map((one) => `Left: ${one}`),
    `The worker test ${run} ${verdict === "passed" ? "passed" : verdict === "failed" ? "failed" : "has checks that are not known"}.`,
  ];
  return `${table}${lines.join("\n")}\n`;
}
