import type { Command } from "commander";
import { type GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationCase, EvaluationResult } from "@garrison/iam/evaluation-case";
import { describePatch } from "@garrison/iam/describe-patch";
import { explain } from "@garrison/iam/explain";
import { explainAsTree } from "@garrison/iam/explanation-tree";
import { contextAsGiven } from "@garrison/iam/context-as-given";
import { parseCase } from "@garrison/iam/parse-case";
import type { CliContext } from "../cli-context.ts";
import { registerLint } from "../iam/lint-files.ts";
import { formatColumns } from "../iam/format-columns.ts";
import { parseJson, readInput } from "../iam/read-input.ts";

interface Answer {
  readonly given: EvaluationCase;
  readonly result: EvaluationResult;
}

/** A case of an array that can't be read. */
interface Refusal {
  readonly name: string | undefined;
  readonly error: GarrisonError;
}

interface EvaluateFlags {
  readonly json?: true;
  readonly fillContext?: true;
  readonly explain?: true;
}

const shape = `
A case:
  { "name"?, "request": { "action", "resource": { "resource", "accountId" },
                          "principal": ARN | service | {"type": "Anonymous"}, "context": { key: text | [text] } },
    "identityPolicies": [{ "name", "policy" }], "permissionBoundaries"?: [{ "name", "policy" }],
    "sessionPolicy"?: policy, "resourcePolicy"?: policy,
    "serviceControlPolicies": [{ "orgIdentifier", "policies": [{ "name", "policy" }] }],
    "resourceControlPolicies": the same, "vpcEndpointPolicies"?: [{ "name", "policy" }], "unknownContext"?: [key],
    "kmsGrants"?: [{ "grantId"?, "granteePrincipal", "operations", "retiringPrincipal"?, "encryptionContextEquals"?,
                     "encryptionContextSubset"?, "sourceArn"? }],
    "bucket"?: { "publicAccessBlock"?: { "restrictPublicBuckets"?, "ignorePublicAcls"?, "blockPublicAcls"?, "blockPublicPolicy"? },
                 "objectOwnership"?, "acl"?: [{ "grantee", "permission" }], "objectAcl"?: the same },
    "managementAccountId"?: the account that SCPs and RCPs spare }
A layer that is absent does not apply. "permissionBoundaries": [] or an organisation level with "policies": [] allows nothing.
A key that is not in "context" is absent; with --fill-context, what follows from the request is filled in as AWS would:
aws:PrincipalArn, -Account, -Type, -IsAWSService, -ServiceName, aws:ResourceAccount, aws:username, aws:userid. In an array, a case that can't be read is answered by
{ "name", "error": { "code", "message" } } in its place, and the exit code is 2.
`;

export function register(program: Command, context: CliContext): void {
  const iam = program.command("iam").description("IAM policies: who may do what, and why not");
  iam
    .command("evaluate")
    .description("decide one case or an array of cases")
    .argument("<file>", "a JSON file, or - for standard input")
    .option("--json", "print one object, or one array for an array of cases")
    .addHelpText("after", shape)
    .option("--explain", "with --json: add what was weighed, as a tree, and the patches that mend it")
    .option("--fill-context", "fill in the context keys that follow from the request")
    .action((file: string, flags: EvaluateFlags) => evaluateFile(file, flags, context));
  registerLint(iam, context);
}

async function evaluateFile(file: string, flags: EvaluateFlags, context: CliContext): Promise<void> {
  const source = await readInput(file, context);
  const json = parseJson(source, { file, code: "iam-case-invalid" });
  const isList = Array.isArray(json);
  const answers = isList
    ? (json as readonly unknown[]).map((each, place) => answerOrRefuse(each, place, flags))
    : [answer(json, "case", flags)];
  if (answers.some((each) => "error" in each)) context.setExitCode(2);
  if (flags.json !== true) {
    context.stdout.write(formatTable(answers));
    return;
  }
  const printed = answers.map((each) => toOutput(each, flags));
  context.stdout.write(`${JSON.stringify(isList ? printed : printed[0], null, 2)}\n`);
}

function answer(json: unknown, where: string, flags: EvaluateFlags): Answer {
  const parsed = parseCase(json, where);
  const given = flags.fillContext === true ? parsed : contextAsGiven(parsed);
  return { given, result: evaluate(given) };
}

/** One malformed case must not keep the answers of the others back. */
function answerOrRefuse(json: unknown, place: number, flags: EvaluateFlags): Answer | Refusal {
  try {
    return answer(json, `case ${place}`, flags);
  } catch (error) {
    if (!isGarrisonError(error)) throw error;
    const name = (json as { readonly name?: unknown } | null)?.name;
    return { name: typeof name === "string" ? name : undefined, error };
  }
}

/** The documented output; programs rely on exactly these keys, and on `explanation` only when they ask for it. */
function toOutput(answer: Answer | Refusal, flags: EvaluateFlags): object {
  if ("error" in answer) {
    const { name, error } = answer;
    return { name, error: { code: error.code, message: error.message } };
  }
  const { given, result } = answer;
  const { decision, blockedBy, matched, missingContext } = result;
  const explanation = flags.explain === true ? { explanation: explainAsTree(given) } : {};
  return { name: given.name, decision, blockedBy, matched, missingContext, ...explanation };
}

function formatTable(answers: readonly (Answer | Refusal)[]): string {
  const rows = answers.map((each, place) =>
    "error" in each
      ? [each.name ?? `case ${place}`, "error", "-", "-"]
      : [
          each.given.name ?? `case ${place}`,
          each.result.decision,
          each.result.blockedBy.join(", ") || "-",
          each.result.missingContext.join(", ") || "-",
        ],
  );
  const table = [["case", "decision", "blocked by", "missing context"], ...rows];
  const lines = formatColumns(table);
  const reasons = answers.flatMap((each) => {
    if ("error" in each) return [`\n${each.error.message}`];
    return each.result.decision === "Allowed" ? [] : [formatReason(each.given, each.result)];
  });
  return `${[...lines, ...reasons].join("\n")}\n`;
}

function formatReason(given: EvaluationCase, result: EvaluationResult): string {
  const { isMendedByPatches, patches, sentence } = explain(given, result);
  const title = given.name === undefined ? "" : `${given.name}: `;
  const mends = patches.map((patch) => `  would mend it: ${describePatch(patch)}`);
  const rest = patches.length > 0 && !isMendedByPatches ? ["  and the request has to change, too"] : [];
  return [`\n${title}${sentence}`, ...mends, ...rest].join("\n");
}
