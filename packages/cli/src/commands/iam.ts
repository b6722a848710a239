import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { GarrisonError } from "@garrison/core/garrison-error";
import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationCase, EvaluationResult } from "@garrison/iam/evaluation-case";
import { explain } from "@garrison/iam/explain";
import { parseCase } from "@garrison/iam/parse-case";
import type { CliContext } from "../cli-context.ts";

interface Answer {
  readonly given: EvaluationCase;
  readonly result: EvaluationResult;
}

const shape = `
A case:
  { "name"?, "request": { "action", "resource": { "resource", "accountId" },
                          "principal": ARN | service | {"type": "Anonymous"}, "context": { key: text | [text] } },
    "identityPolicies": [{ "name", "policy" }], "permissionBoundaries"?: [{ "name", "policy" }],
    "sessionPolicy"?: policy, "resourcePolicy"?: policy,
    "serviceControlPolicies": [{ "orgIdentifier", "policies": [{ "name", "policy" }] }],
    "resourceControlPolicies": the same, "vpcEndpointPolicies"?: [{ "name", "policy" }], "unknownContext"?: [key] }
A layer that is absent does not apply. "permissionBoundaries": [] or an organisation level with "policies": [] allows nothing.
`;

export function register(program: Command, context: CliContext): void {
  const iam = program.command("iam").description("IAM policies: who may do what, and why not");
  iam
    .command("evaluate")
    .description("decide one case or an array of cases")
    .argument("<file>", "a JSON file, or - for standard input")
    .option("--json", "print one object, or one array for an array of cases")
    .addHelpText("after", shape)
    .action((file: string, options: { readonly json?: true }) =>
      evaluateFile(file, options.json === true, context),
    );
}

async function evaluateFile(file: string, asJson: boolean, context: CliContext): Promise<void> {
  const json = parseJson(await readInput(file, context), file);
  const isList = Array.isArray(json);
  const answers = (isList ? (json as readonly unknown[]) : [json]).map((each, place) => {
    const given = parseCase(each, isList ? `case ${place}` : "case");
    return { given, result: evaluate(given) };
  });
  if (!asJson) {
    context.stdout.write(formatTable(answers));
    return;
  }
  const printed = answers.map(toOutput);
  context.stdout.write(`${JSON.stringify(isList ? printed : printed[0], null, 2)}\n`);
}

async function readInput(file: string, context: CliContext): Promise<string> {
  if (file === "-") return text(context.stdin);
  try {
    return await readFile(file, { encoding: "utf8", signal: context.signal });
  } catch (error) {
    throw new GarrisonError("usage", `can't read the file ${file}`, { cause: error });
  }
}

function parseJson(source: string, file: string): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    throw new GarrisonError("iam-case-invalid", `${file === "-" ? "standard input" : file} is not JSON`, {
      cause: error,
    });
  }
}

/** The documented output; programs rely on exactly these keys. */
function toOutput({ given, result }: Answer): object {
  const { decision, blockedBy, matched, missingContext } = result;
  return { name: given.name, decision, blockedBy, matched, missingContext };
}

function formatTable(answers: readonly Answer[]): string {
  const rows = answers.map(({ given, result }, place) => [
    given.name ?? `case ${place}`,
    result.decision,
    result.blockedBy.join(", ") || "-",
    result.missingContext.join(", ") || "-",
  ]);
  const table = [["case", "decision", "blocked by", "missing context"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const reasons = answers
    .filter(({ result }) => result.decision !== "Allowed")
    .map(({ given, result }) => formatReason(given, result));
  return `${[...lines, ...reasons].join("\n")}\n`;
}

function formatReason(given: EvaluationCase, result: EvaluationResult): string {
  const { sentence, fix } = explain(given, result);
  const title = given.name === undefined ? "" : `${given.name}: `;
  return `\n${title}${sentence}${fix === undefined ? "" : `\n  a statement that would do: ${JSON.stringify(fix)}`}`;
}
