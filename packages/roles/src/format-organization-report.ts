import type { AccountVerdict, OrganizationReport, RoleVerdict } from "./check-organization.ts";
import { formatFinding } from "./format-chain-report.ts";

const marks = { passed: "ok", failed: "FAILED", unknown: "unknown" } as const;

/** A table of accounts and roles, and below it what is broken in each. */
export function formatOrganizationReport(report: OrganizationReport): string {
  const roleIds = [...new Set(report.accounts.flatMap(({ roles }) => roles.map(({ roleId }) => roleId)))];
  const rows = report.accounts.map(({ accountId, name, roles }) => [
    accountId,
    name ?? "",
    ...roleIds.map((id) => cellOf(roles.find(({ roleId }) => roleId === id))),
  ]);
  const table = [["account", "name", ...roleIds], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  const details = report.accounts.flatMap(describeAccount);
  return `${[lines.join("\n"), ...details, summaryOf(report)].join("\n\n")}\n`;
}

function cellOf(role: RoleVerdict | undefined): string {
  return role === undefined ? "-" : marks[role.verdict];
}

function describeAccount({ roles }: AccountVerdict): readonly string[] {
  return roles
    .filter(({ verdict }) => verdict !== "passed")
    .map(({ findings, roleArn }) => {
      const open = findings.filter(({ verdict }) => verdict !== "passed");
      return [roleArn, ...open.flatMap(formatFinding)].join("\n");
    });
}

function summaryOf({ accounts, durationMs }: OrganizationReport): string {
  const roles = accounts.flatMap((account) => account.roles);
  const count = (wanted: RoleVerdict["verdict"]): number =>
    roles.filter(({ verdict }) => verdict === wanted).length;
  return `${roles.length} roles in ${accounts.length} accounts: ${count("failed")} failed, ${count("unknown")} unknown, ${count("passed")} passed, in ${(durationMs / 1000).toFixed(1)} s.`;
}
