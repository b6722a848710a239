import type { HistoryReport } from "./run-history.ts";
import type { HistoriesReport } from "./run-histories.ts";
import type { Mistake } from "./mistakes/mistake.ts";
import type { HistoryCounts } from "./world/history-counts.ts";
import { formatTraceLine } from "./world/trace.ts";

const groups = ["calls", "faults", "deaths", "pauses", "processes", "sessions lost", "keeper", "vandal"];

/** What a run did, a line for each kind of thing. */
export function formatCounts(report: HistoriesReport): string {
  const { counts, histories } = report;
  const lines = groups
    .filter((group) => counts.total(group) > 0)
    .map(
      (group) => `${group.padEnd(14)} ${number(counts.total(group)).padStart(10)}  ${kinds(counts, group)}`,
    );
  const head = [
    `${"histories".padEnd(14)} ${number(histories).padStart(10)}`,
    `${"steps".padEnd(14)} ${number(counts.steps).padStart(10)}`,
  ];
  return [...head, ...lines].join("\n");
}

function kinds(counts: HistoryCounts, group: string): string {
  return counts
    .kindsOf(group)
    .map(([kind, count]) => `${kind} ${number(count)}`)
    .join(", ");
}

function number(count: number): string {
  return count.toLocaleString("en-US");
}

/** The last steps before a promise was broken, and how to see it again. */
export function formatFailure(report: HistoryReport, lines: number): string {
  const { violation, seed, trace, settings } = report;
  const last = trace.slice(-lines).map(formatTraceLine);
  return [
    ...last,
    "",
    `history ${seed}: promise ${violation?.check} is broken: ${violation?.message}`,
    `settings: ${JSON.stringify(settings)}`,
    `see it again: npm run simulate -- --seed ${seed} --trace`,
  ].join("\n");
}

/** One line of the table of planted mistakes. */
export function formatMistake(mistake: Mistake, report: HistoriesReport): string {
  const [first] = report.broken;
  const checks = [...new Set(report.broken.map(({ violation }) => violation!.check))].sort((a, b) => a - b);
  const found = `${report.broken.length} of ${report.histories}`;
  const how =
    first === undefined ? "NOT FOUND" : `first by seed ${first.seed}, by check ${checks.join(", ")}`;
  return `${mistake.name.padEnd(30)} ${found.padStart(14)}  ${how}`;
}
