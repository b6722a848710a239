import { writeFile } from "node:fs/promises";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ChainReport } from "@garrison/roles/chain-report";
import type { OrganizationReport } from "@garrison/roles/check-organization";
import { formatChainReport } from "@garrison/roles/format-chain-report";
import { formatJunit } from "@garrison/roles/format-junit";
import { formatOrganizationReport } from "@garrison/roles/format-organization-report";
import type { CliContext } from "../cli-context.ts";
import { oneOf } from "./role-options.ts";

export interface ReportFlags {
  readonly format?: string;
  readonly json?: true;
  readonly junit?: string;
}

const formats = ["table", "json", "junit"] as const;
const exitCodes = { passed: 0, failed: 1, unknown: 3 } as const;

/** Refuses a wrong `--format` before anything is asked. */
export function checkReportFlags(flags: ReportFlags): void {
  oneOf(flags.format ?? "table", formats, "--format");
}

/** Prints the report, writes it as JUnit too if a file is named, and sets the exit code. */
export async function writeReport(
  report: ChainReport | OrganizationReport,
  flags: ReportFlags,
  context: CliContext,
): Promise<void> {
  const format = flags.json === true ? "json" : oneOf(flags.format ?? "table", formats, "--format");
  context.stdout.write(formatAs(report, format));
  if (flags.junit !== undefined) await writeJunit(report, flags.junit, context);
  context.setExitCode(exitCodes[report.verdict]);
}

function formatAs(report: ChainReport | OrganizationReport, format: (typeof formats)[number]): string {
  if (format === "json") return `${JSON.stringify(report, null, 2)}\n`;
  if (format === "junit") return formatJunit(report);
  return "accounts" in report ? formatOrganizationReport(report) : formatChainReport(report);
}

async function writeJunit(
  report: ChainReport | OrganizationReport,
  file: string,
  { signal }: CliContext,
): Promise<void> {
  try {
    await writeFile(file, formatJunit(report), { signal });
  } catch (error) {
    throw new GarrisonError("usage", `--junit ${file} can't be written`, { cause: error });
  }
}
