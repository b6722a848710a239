import { isGarrisonError } from "@garrison/core/garrison-error";
import { parseOperatorName } from "../condition.ts";
import { conditionOperators } from "../condition-operators.ts";
import { parsePolicy } from "../parse-policy.ts";
import type { PolicyDocument, StatementDocument } from "../policy-document.ts";
import type { LintFinding } from "./lint-finding.ts";
import { nearestName } from "./nearest-name.ts";

export interface ReadPolicy {
  readonly findings: readonly LintFinding[];
  readonly version: PolicyDocument["Version"];
  /** The statements that are well formed, with their places. */
  readonly statements: readonly { readonly document: StatementDocument; readonly index: number }[];
}

/** Reads a document statement by statement, so that one mistake doesn't hide the others. */
export function readPolicy(json: unknown): ReadPolicy {
  const outer = attempt({ ...(isObject(json) ? json : {}), Statement: [] });
  if (!isObject(json))
    return { findings: [grammar("the document is not an object")], version: undefined, statements: [] };
  const findings = outer === undefined ? [] : [grammar(outer)];
  const written = json["Statement"];
  if (written === undefined) findings.push(grammar("the document has no Statement"));
  const list: readonly unknown[] = written === undefined ? [] : Array.isArray(written) ? written : [written];
  const statements: ReadPolicy["statements"][number][] = [];
  for (const [index, statement] of list.entries()) {
    const problem = attempt({ Statement: [statement] });
    if (problem === undefined) statements.push({ document: statement as StatementDocument, index });
    else findings.push(...describe(statement, index, problem));
  }
  const version = json["Version"] as PolicyDocument["Version"];
  return { findings, version, statements };
}

/** The sentence of the grammar's error, if there is one. */
function attempt(json: unknown): string | undefined {
  try {
    parsePolicy(json, "");
    return undefined;
  } catch (error) {
    if (isGarrisonError(error)) return error.message;
    throw error;
  }
}

function grammar(message: string): LintFinding {
  return { code: "grammar", severity: "error", where: "", message: message.replace(/^:?\s*/, "") };
}

function describe(statement: unknown, index: number, problem: string): readonly LintFinding[] {
  const where = `Statement[${index}]`;
  const Sid = isObject(statement) ? statement["Sid"] : undefined;
  const sid = typeof Sid === "string" ? { sid: Sid } : {};
  const operators =
    isObject(statement) && isObject(statement["Condition"]) ? Object.keys(statement["Condition"]) : [];
  const unknown = operators.filter((operator) => parseOperatorName(operator) === undefined);
  if (unknown.length > 0)
    return unknown.map((operator) => ({ ...describeOperator(operator, where), ...sid }));
  const message = problem.replace(/^: Statement\[0\]\.?/, "").trim();
  return [{ code: "grammar", severity: "error", where, ...sid, message }];
}

function describeOperator(operator: string, where: string): LintFinding {
  const [, qualifier = "", name = "", suffix = ""] = /^(For\w+:)?(.*?)(IfExists)?$/i.exec(operator) ?? [];
  const names = ["Null", ...[...conditionOperators.values()].map((each) => each.name)];
  const near = nearestName(name, names);
  return {
    code: "unknown-operator",
    severity: "error",
    where: `${where}.Condition`,
    message: `${JSON.stringify(operator)} is not a condition operator`,
    ...(near === undefined ? {} : { suggestion: `${qualifier}${near}${near === "Null" ? "" : suffix}` }),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
