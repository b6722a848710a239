import type { ChainReport, LinkFinding } from "./chain-report.ts";

const marks = { passed: "ok", failed: "FAILED", unknown: "unknown" } as const;

/** The report for a terminal: role by role, link by link; below each broken link where it is decided and what mends it. */
export function formatChainReport(report: ChainReport): string {
  const subjects = [...new Set(report.findings.map(({ subject }) => subject))];
  const blocks = subjects.map((subject) => {
    const own = report.findings.filter((finding) => finding.subject === subject);
    return [subject, ...own.flatMap(formatFinding)].join("\n");
  });
  return `${[...blocks, summary(report)].join("\n\n")}\n`;
}

function formatFinding(finding: LinkFinding): readonly string[] {
  const lines = [`  ${marks[finding.verdict].padEnd(8)}${finding.link.padEnd(22)}${finding.sentence}`];
  if (finding.verdict === "passed") return lines;
  const { fix, statement } = finding;
  if (statement !== undefined) lines.push(`${indent}where: ${formatOrigin(statement)}`);
  if (finding.knownBy.length > 0) lines.push(`${indent}known by: ${finding.knownBy.join(", ")}`);
  if (fix !== undefined) lines.push(`${indent}would mend it: ${JSON.stringify(fix)}`);
  return lines;
}

const indent = " ".repeat(10);

function formatOrigin({
  accountId,
  layer,
  policy,
  sid,
  statementIndex,
  attachedTo,
}: NonNullable<LinkFinding["statement"]>): string {
  const place = sid ?? (statementIndex === undefined ? undefined : `number ${statementIndex + 1}`);
  const statement = place === undefined ? "" : `, statement ${place}`;
  const attached = attachedTo === undefined ? "" : `, attached to ${attachedTo}`;
  return `${layer}: ${policy}${statement}${attached}${accountId === undefined ? "" : `, account ${accountId}`}`;
}

function summary({ findings, operations, placement, verdict }: ChainReport): string {
  const count = (wanted: LinkFinding["verdict"]): number =>
    findings.filter((one) => one.verdict === wanted).length;
  const words = { passed: "The chain holds", failed: "The chain is broken", unknown: "The chain may hold" }[
    verdict
  ];
  const counts = `${count("failed")} failed, ${count("unknown")} unknown, ${count("passed")} passed`;
  return `${words} for ${operations.join(", ")} with the worker in ${placement === "production" ? "the production account" : "the backup account"}: ${counts}.`;
}
