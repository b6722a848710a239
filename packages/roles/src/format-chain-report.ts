import { describePatch } from "@garrison/iam/describe-patch";
import type { PolicyPatch } from "@garrison/iam/policy-patch";
import type { ChainReport, LinkFinding } from "./chain-report.ts";

const marks = { passed: "ok", failed: "FAILED", unknown: "unknown" } as const;

/** The report for a terminal: role by role, link by link; below each broken link where it is decided and what mends it. */
export function formatChainReport(report: ChainReport): string {
  const subjects = [...new Set(report.findings.map(({ subject }) => subject))];
  const blocks = subjects.map((subject) => {
    const own = report.findings.filter((finding) => finding.subject === subject);
    return [subject, ...own.flatMap(formatFinding)].join("\n");
  });
  return `${[...blocks, ...formatExcess(report), summary(report)].join("\n\n")}\n`;
}

/** Alarms first; then what nothing needs, then what reaches too far. */
function formatExcess({ excess }: ChainReport): readonly string[] {
  if (excess === undefined) return [];
  if (excess.length === 0) return ["The roles can do nothing beyond the catalogue, as far as could be seen."];
  const ordered = (["alarm", "beyond", "wide"] as const).flatMap((wanted) =>
    excess.filter(({ kind }) => kind === wanted),
  );
  const lines = ordered.flatMap(({ kind, knownBy, sentence, statement }) => [
    `  ${(kind === "alarm" ? "ALARM" : kind).padEnd(8)}${sentence}`,
    ...(statement === undefined ? [] : [`${indent}where: ${formatOrigin(statement)}`]),
    `${indent}known by: ${knownBy.join(", ")}`,
  ]);
  return [["Beyond the catalogue", ...lines].join("\n")];
}

/** One finding in a line; what is not passed with its statement and its mend below. */
export function formatFinding(finding: LinkFinding): readonly string[] {
  const lines = [`  ${marks[finding.verdict].padEnd(8)}${finding.link.padEnd(22)}${finding.sentence}`];
  if (finding.verdict === "passed") return lines;
  const { fix, patches, statement } = finding;
  if (statement !== undefined) lines.push(`${indent}where: ${formatOrigin(statement)}`);
  if (finding.knownBy.length > 0) lines.push(`${indent}known by: ${finding.knownBy.join(", ")}`);
  if (patches !== undefined && patches.length > 0) {
    lines.push(...patches.map((patch) => `${indent}would mend it: ${describeMend(patch)}`));
  } else if (fix !== undefined) lines.push(`${indent}would mend it: ${JSON.stringify(fix)}`);
  return lines;
}

const indent = " ".repeat(10);

/** The evaluator calls a role's trust policy a resource policy, as it is one. */
function describeMend(patch: PolicyPatch): string {
  return describePatch(patch).replace('resource policy "trust policy"', "trust policy");
}

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
