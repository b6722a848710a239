import type { Run, RunWithSteps } from "@garrison/api/schemas/runs";
import { formatDuration, formatSize } from "@garrison/core/units";
import { formatTable } from "../repository/format-points.ts";

/** One run for a person: what came of it, then each step with what it did. */
export function describeRun(run: RunWithSteps): string {
  const head = [
    `${run.kind} ${run.id}: ${run.status}${durationOf(run)}`,
    `  of ${run.resource}`,
    ...(run.point === undefined ? [] : [`  restore point ${run.point}`]),
    ...progressOf(run),
    ...(run.failure === undefined ? [] : [`  ${run.failure.code}: ${run.failure.message}`]),
  ];
  const steps = run.steps.flatMap((step) => [
    `${step.status === "failed" ? "failed " : "       "}${step.name}${step.attempts > 1 ? ` (attempt ${step.attempts})` : ""}`,
    ...step.log.map(
      ({ message, resource }) => `          ${message}${resource === undefined ? "" : `  ${resource}`}`,
    ),
  ]);
  return `${[...head, ...steps].join("\n")}\n`;
}

function durationOf({ startedAt, endedAt }: Run): string {
  if (startedAt === undefined || endedAt === undefined) return "";
  return ` after ${formatDuration(Date.parse(endedAt) - Date.parse(startedAt))}`;
}

function progressOf({ status, progress }: Run): readonly string[] {
  if (status !== "running" || progress === undefined) return [];
  return progress.volumes.map(
    ({ volumeId, bytesRead, bytesStored }) =>
      `  ${volumeId}: ${formatSize(bytesRead)} read, ${formatSize(bytesStored)} stored`,
  );
}

export function formatRuns(runs: readonly Run[]): string {
  if (runs.length === 0) return "There are no runs.\n";
  const rows = runs.map((run) => [
    run.id,
    run.kind,
    run.status,
    run.createdAt.slice(0, 19).replace("T", " "),
    run.resource,
  ]);
  return formatTable([["RUN", "KIND", "STATUS", "STARTED (UTC)", "RESOURCE"], ...rows]);
}
