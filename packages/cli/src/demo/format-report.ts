import { formatDuration, formatSize } from "@garrison/core/units";
import type { DemoReport } from "./run-demo.ts";

/** What the demo did, for a person: one line a phase was printed while it ran; this is the sum. */
export function formatReport(report: DemoReport): string {
  const slowest = [...report.phases].sort((a, b) => b.durationMs - a.durationMs)[0];
  const lines = [
    "",
    "web-1 was backed up twice and restored; every block and file is equal.",
    ...report.points.map(
      (point, index) =>
        `  restore point ${point.id}: ${index === 0 ? "first" : "second"} backup (${point.coverage === "full" ? "every block" : "what changed"}), ` +
        `${formatSize(point.bytesRead)} read, ${formatSize(point.bytesStored)} stored`,
    ),
    `  restored instance ${report.restoredInstanceId}`,
    `  ${formatDuration(report.durationMs)} in all; the longest was "${slowest?.name ?? ""}" with ${formatDuration(slowest?.durationMs ?? 0)}`,
    "",
  ];
  return `${lines.join("\n")}\n`;
}

/** How to go on while the demo serves. */
export function formatInvitation(report: DemoReport, dataDir: string): string {
  return [
    `lab        ${report.labEndpoint}   (any AWS tool: AWS_ENDPOINT_URL=${report.labEndpoint})`,
    `appliance  ${report.applianceUrl}   (API under /api/v1; token in ${dataDir}/appliance/token)`,
    `try        npx garrison runs list --data ${dataDir}/appliance`,
    "Ctrl-C ends both.",
    "",
  ].join("\n");
}
