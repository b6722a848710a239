import { GarrisonError } from "@garrison/core/garrison-error";
import { parseOperatorName } from "./condition.ts";
import type { PolicyDocument, StatementDocument } from "./policy-document.ts";

type JsonObject = Readonly<Record<string, unknown>>;

const policyKeys = new Set(["Version", "Id", "Statement"]);
const statementKeys = new Set(
  "Sid Effect Principal NotPrincipal Action NotAction Resource NotResource Condition".split(" "),
);
const principalKeys = new Set(["AWS", "Service", "Federated", "CanonicalUser"]);

/** Whose policy it is: an identity's (or a limit of one), a resource's, or not known. */
export type PolicyKind = "identity" | "resource" | "any";

/**
 * Checks that a document has the elements of its kind: an identity's policy names resources and no principal, a resource's
 * policy names a principal (and no resource where it is a trust policy). Throws `iam-policy-invalid`.
 */
export function checkPolicyKind({ Statement }: PolicyDocument, kind: PolicyKind, name: string): void {
  if (kind === "any") return;
  const statements = (Array.isArray(Statement) ? Statement : [Statement]) as readonly StatementDocument[];
  for (const [index, statement] of statements.entries()) {
    const where = `${name}: Statement[${index}]`;
    const hasPrincipal = statement.Principal !== undefined || statement.NotPrincipal !== undefined;
    const hasResource = statement.Resource !== undefined || statement.NotResource !== undefined;
    if (kind === "resource" && !hasPrincipal) throw invalid(where, "has neither Principal nor NotPrincipal");
    if (kind === "identity" && hasPrincipal)
      throw invalid(where, "has a principal, which this kind of policy can't");
    if (kind === "identity" && !hasResource) throw invalid(where, "has neither Resource nor NotResource");
  }
}

/**
 * Checks that a JSON value is an IAM policy document by AWS's grammar, and returns it as it is. What depends on the policy's
 * kind is left to `checkPolicyKind`. Throws `iam-policy-invalid` naming the policy and the element.
 */
export function parsePolicy(json: unknown, name = "policy"): PolicyDocument {
  const policy = requireObject(json, name);
  rejectUnknownKeys(policy, { allowed: policyKeys, where: name });
  const version = policy["Version"];
  if (version !== undefined && version !== "2012-10-17" && version !== "2008-10-17") {
    throw invalid(`${name}: Version`, `is ${show(version)}; it must be "2012-10-17" or "2008-10-17"`);
  }
  if (policy["Statement"] === undefined) throw invalid(name, "has no Statement");
  const statements = Array.isArray(policy["Statement"]) ? policy["Statement"] : [policy["Statement"]];
  for (const [index, statement] of statements.entries())
    checkStatement(statement, `${name}: Statement[${index}]`);
  return policy as unknown as PolicyDocument;
}

function checkStatement(json: unknown, where: string): void {
  const statement = requireObject(json, where);
  rejectUnknownKeys(statement, { allowed: statementKeys, where });
  const { Sid, Effect } = statement;
  if (Sid !== undefined && typeof Sid !== "string") throw invalid(`${where}.Sid`, "is not text");
  if (Effect !== "Allow" && Effect !== "Deny") {
    throw invalid(`${where}.Effect`, `is ${show(Effect)}; it must be "Allow" or "Deny"`);
  }
  checkPair(statement, ["Action", "NotAction"], where);
  checkPair(statement, ["Resource", "NotResource"], where);
  checkPair(statement, ["Principal", "NotPrincipal"], where);
  if (statement["Action"] === undefined && statement["NotAction"] === undefined) {
    throw invalid(where, "has neither Action nor NotAction");
  }
  for (const key of ["Action", "NotAction"]) checkActions(statement[key], `${where}.${key}`);
  for (const key of ["Resource", "NotResource"]) checkTexts(statement[key], `${where}.${key}`);
  for (const key of ["Principal", "NotPrincipal"]) checkPrincipal(statement[key], `${where}.${key}`);
  checkConditions(statement["Condition"], `${where}.Condition`);
}

function checkPair(statement: JsonObject, pair: readonly [string, string], where: string): void {
  if (statement[pair[0]] !== undefined && statement[pair[1]] !== undefined) {
    throw invalid(where, `has both ${pair[0]} and ${pair[1]}`);
  }
}

function checkTexts(value: unknown, where: string): readonly string[] {
  if (value === undefined) return [];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const each of values) {
    if (typeof each !== "string") throw invalid(where, `holds ${show(each)}; it must be text`);
  }
  return values as readonly string[];
}

function checkActions(value: unknown, where: string): void {
  for (const action of checkTexts(value, where)) {
    if (action === "*" || /^[^:\s]+:[^:\s]+$/.test(action)) continue;
    throw invalid(where, `holds ${show(action)}; it must be "*" or service:action`);
  }
}

function checkPrincipal(value: unknown, where: string): void {
  if (value === undefined || value === "*") return;
  const principal = requireObject(value, where);
  rejectUnknownKeys(principal, { allowed: principalKeys, where });
  for (const [kind, names] of Object.entries(principal)) checkTexts(names, `${where}.${kind}`);
}

function checkConditions(value: unknown, where: string): void {
  if (value === undefined) return;
  for (const [operator, keys] of Object.entries(requireObject(value, where))) {
    if (parseOperatorName(operator) === undefined) {
      throw invalid(where, `uses ${show(operator)}, which is not a condition operator`);
    }
    for (const [key, values] of Object.entries(requireObject(keys, `${where}.${operator}`))) {
      checkConditionValues(values, `${where}.${operator}.${key}`);
    }
  }
}

function checkConditionValues(value: unknown, where: string): void {
  for (const each of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
    if (typeof each === "string" || typeof each === "number" || typeof each === "boolean") continue;
    throw invalid(where, `holds ${show(each)}; it must be text, a number or a truth value`);
  }
}

function requireObject(value: unknown, where: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(where, `is ${show(value)}; it must be an object`);
}

function rejectUnknownKeys(
  object: JsonObject,
  { allowed, where }: { allowed: ReadonlySet<string>; where: string },
): void {
  const key = Object.keys(object).find((each) => !allowed.has(each));
  if (key === undefined) return;
  throw invalid(where, `has the unknown element ${show(key)}; it takes ${[...allowed].join(", ")}`);
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function invalid(where: string, what: string): GarrisonError {
  return new GarrisonError("iam-policy-invalid", `${where} ${what}`, { details: { where } });
}
