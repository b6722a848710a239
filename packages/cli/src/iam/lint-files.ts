import type { Command } from "commander";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { LintFinding } from "@garrison/iam/lint/lint-finding";
import { lintPolicy, type LintReport } from "@garrison/iam/lint/lint-policy";
import { countedChars } from "@garrison/iam/lint/lint-size";
import { loadServiceReference } from "@garrison/iam/lint/load-service-reference";
import { kindRules, type LintKind, lintKinds } from "@garrison/iam/lint/policy-kinds";
import type { ServiceReference } from "@garrison/iam/lint/service-reference";
import type { CliContext } from "../cli-context.ts";
import { formatColumns } from "./format-columns.ts";
import { listDocuments, type PlacedDocument } from "./list-documents.ts";
import { parseJson, readInput } from "./read-input.ts";

interface LintFlags {
  readonly kind?: string;
  readonly strict?: true;
  readonly json?: true;
}

interface LintedDocument extends LintReport {
  readonly file: string;
  /** Which of the file's documents, where it holds several. */
  readonly policy?: string;
}

const help = `
A file holds a policy document, a list of documents or of { "name", "policy" }, or what \`garrison roles export --format json\`
prints. Without --kind a document with principals but no resources is a trust policy, with both a resource policy, else a
managed policy. With --kind inline the sizes of all files count together, as a role's inline policies do.
Exit code 0: no error; 1: an error (with --strict also a warning); 2: a file can't be read.
`;

export function registerLint(iam: Command, context: CliContext): void {
  iam
    .command("lint")
    .description("find what is wrong in IAM policies: unknown actions, statements without effect, sizes, ...")
    .argument("<files...>", "JSON files, or - for standard input")
    .option("--kind <kind>", `what the documents are written for: ${lintKinds.join(", ")}`)
    .option("--strict", "warnings fail too")
    .option("--json", "print one object")
    .addHelpText("after", help)
    .action((files: readonly string[], flags: LintFlags) => lintFiles(files, flags, context));
}

async function lintFiles(files: readonly string[], flags: LintFlags, context: CliContext): Promise<void> {
  const kind = readKind(flags.kind);
  const documents: PlacedDocument[] = [];
  for (const file of files) {
    const text = await readInput(file, context);
    documents.push(...listDocuments(parseJson(text, { file, code: "iam-policy-invalid" }), { file, text }));
  }
  const reference = await loadServiceReference({ signal: context.signal });
  const linted = documents.map((document) => lintDocument(document, kind, reference));
  const total = checkTotals(documents, kind);
  const findings = [...linted.flatMap((each) => each.findings), ...total];
  const fails = ({ severity }: LintFinding) => severity === "error" || flags.strict === true;
  if (findings.some(fails)) context.setExitCode(1);
  const printed = flags.json === true ? formatJson(linted, total) : formatText(linted, total);
  context.stdout.write(`${printed}\n`);
}

function readKind(text: string | undefined): LintKind | undefined {
  const kind = lintKinds.find((each) => each === text);
  if (text === undefined || kind !== undefined) return kind;
  throw new GarrisonError(
    "usage",
    `--kind takes one of ${lintKinds.join(", ")}, not ${JSON.stringify(text)}`,
  );
}

function lintDocument(
  { file, name, document, kind: known, text }: PlacedDocument,
  wanted: LintKind | undefined,
  reference: ServiceReference,
): LintedDocument {
  const kind = wanted ?? known;
  const options = {
    reference,
    ...(kind === undefined ? {} : { kind }),
    ...(text === undefined ? {} : { text }),
  };
  return { file, ...(name === undefined ? {} : { policy: name }), ...lintPolicy(document, options) };
}

/** A role's inline policies count together; each by itself may be small enough. */
function checkTotals(
  documents: readonly PlacedDocument[],
  kind: LintKind | undefined,
): readonly LintFinding[] {
  const inline = documents.filter((each) => (kind ?? each.kind) === "inline");
  const { maxChars = 0, limited = "" } = kindRules.inline;
  return [...Map.groupBy(inline, ({ role }) => role)].flatMap(([role, ofRole]) => {
    const sizes = ofRole.map(({ document }) =>
      countedChars(document, undefined, { rules: kindRules.inline }),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (ofRole.length < 2 || total <= maxChars) return [];
    const message = `together they have ${total.toLocaleString("en")} characters; ${limited} may have ${maxChars.toLocaleString("en")}`;
    return [{ code: "oversize", severity: "error", where: role ?? "all files", message }];
  });
}

function formatJson(linted: readonly LintedDocument[], total: readonly LintFinding[]): string {
  const all = [...linted.flatMap((each) => each.findings), ...total];
  const count = (severity: string) => all.filter((each) => each.severity === severity).length;
  const counts = { errors: count("error"), warnings: count("warning") };
  return JSON.stringify({ ...counts, documents: linted, together: total }, null, 2);
}

function formatText(linted: readonly LintedDocument[], total: readonly LintFinding[]): string {
  const blocks = linted.map((each) =>
    formatBlock(`${nameOf(each)}: ${kindRules[each.kind].words}`, each.findings),
  );
  return [...blocks, ...(total.length === 0 ? [] : [formatBlock("together", total)])].join("\n");
}

function formatBlock(title: string, findings: readonly LintFinding[]): string {
  if (findings.length === 0) return `${title}, nothing to say`;
  const rows = formatColumns(findings.map(rowOf)).map((line) => `  ${line}`);
  return [title, ...rows].join("\n");
}

function nameOf({ file, policy }: LintedDocument): string {
  const shown = file === "-" ? "standard input" : file;
  return policy === undefined ? shown : `${shown} ${policy}`;
}

function rowOf({ where, severity, code, sid, message, suggestion }: LintFinding): readonly string[] {
  const place = where === "" ? "document" : `${where}${sid === undefined ? "" : ` (${sid})`}`;
  return [
    severity,
    code,
    place,
    `${message}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`,
  ];
}
