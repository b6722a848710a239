import type { ChainReport, LinkFinding } from "./chain-report.ts";
import type { OrganizationReport } from "./check-organization.ts";
import { formatFinding } from "./format-chain-report.ts";

/** One suite of JUnit's XML: a role with its links as cases. */
interface Suite {
  readonly name: string;
  readonly findings: readonly LinkFinding[];
}

/** The report as a CI server reads it. What is unknown is an error there, not a failure, and never a success. */
export function formatJunit(report: ChainReport | OrganizationReport): string {
  const suites = "accounts" in report ? suitesOfAccounts(report) : suitesOfChain(report);
  const all = suites.flatMap(({ findings }) => findings);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="garrison roles check" ${countsOf(all)}>`,
    ...suites.flatMap(formatSuite),
    "</testsuites>",
  ];
  return `${lines.join("\n")}\n`;
}

function suitesOfChain({ findings }: ChainReport): readonly Suite[] {
  const subjects = [...new Set(findings.map(({ subject }) => subject))];
  return subjects.map((name) => ({ name, findings: findings.filter(({ subject }) => subject === name) }));
}

function suitesOfAccounts({ accounts }: OrganizationReport): readonly Suite[] {
  return accounts.flatMap(({ roles }) => roles.map(({ findings, roleArn }) => ({ name: roleArn, findings })));
}

function formatSuite({ findings, name }: Suite): readonly string[] {
  const cases = findings.flatMap((finding) => formatCase(name, finding));
  return [`  <testsuite name="${escape(name)}" ${countsOf(findings)}>`, ...cases, "  </testsuite>"];
}

function formatCase(suite: string, finding: LinkFinding): readonly string[] {
  const { action, link, resource, sentence, verdict } = finding;
  const title = [link, action, resource].filter((word) => word !== undefined).join(" ");
  const open = `    <testcase classname="${escape(suite)}" name="${escape(title)}"`;
  if (verdict === "passed") return [`${open}/>`];
  const kind = verdict === "failed" ? "failure" : "error";
  const text = formatFinding(finding).join("\n");
  return [
    `${open}>`,
    `      <${kind} type="${link}" message="${escape(sentence)}">${escape(text)}</${kind}>`,
    "    </testcase>",
  ];
}

function countsOf(findings: readonly LinkFinding[]): string {
  const count = (wanted: LinkFinding["verdict"]): number =>
    findings.filter(({ verdict }) => verdict === wanted).length;
  return `tests="${findings.length}" failures="${count("failed")}" errors="${count("unknown")}"`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

/** Characters that XML has no way to write are left out. */
function escape(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r]/gu, "").replace(/[&<>"\n]/g, (one) => entities[one] ?? one);
}
