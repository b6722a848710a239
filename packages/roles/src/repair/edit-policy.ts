import type { PolicyDocument, StatementDocument } from "@garrison/iam/policy-document";
import type { PolicyStatement } from "../policy-statement.ts";

/** Small edits of one IAM policy, each of which leaves the rest of the document as its owner wrote it. */

export function statementsOf(document: object): readonly StatementDocument[] {
  return [(document as PolicyDocument).Statement ?? []].flat() as readonly StatementDocument[];
}

/** The document with other statements; undefined when none is left, since IAM takes no policy without. */
export function withStatements(
  document: object | undefined,
  statements: readonly StatementDocument[],
): object | undefined {
  if (statements.length === 0) return undefined;
  return { ...(document ?? { Version: "2012-10-17" }), Statement: statements };
}

export function replaceStatement(
  document: object,
  index: number,
  by: StatementDocument | undefined,
): object | undefined {
  const changed = statementsOf(document).flatMap((statement, at) =>
    at === index ? (by === undefined ? [] : [by]) : [statement],
  );
  return withStatements(document, changed);
}

/**
 * Adds the statement. One of ours under the same Sid gives way to it, and keeps the actions that it had besides; in
 * somebody else's document (`isForeign`) the Sid steps aside instead.
 */
export function addStatement(
  document: object | undefined,
  statement: PolicyStatement,
  isForeign: boolean,
): object {
  const present = document === undefined ? [] : statementsOf(document);
  const at = present.findIndex((one) => one.Sid === statement.Sid && one.Effect === "Allow");
  if (at < 0 || document === undefined) return appended(document, present, statement);
  const former = present[at]!;
  const isSame =
    JSON.stringify([former.Resource, former.Condition]) ===
    JSON.stringify([statement.Resource, statement.Condition]);
  if (isForeign && !isSame) {
    return appended(document, present, { ...statement, Sid: freeSid(present, statement.Sid) });
  }
  const merged = { ...statement, Action: mergedActions(former, statement) };
  return { ...document, Statement: present.map((one, index) => (index === at ? merged : one)) };
}

function appended(
  document: object | undefined,
  present: readonly StatementDocument[],
  statement: PolicyStatement,
): object {
  return { ...(document ?? { Version: "2012-10-17" }), Statement: [...present, statement] };
}

function mergedActions(former: StatementDocument, statement: PolicyStatement): readonly string[] {
  const wanted = [statement.Action].flat();
  const kept = [former.Action ?? []].flat().filter((action) => !wanted.includes(action));
  // The compatible form keeps its one long list in order.
  return kept.length > 0 ? [...wanted, ...kept].sort() : wanted;
}

function freeSid(present: readonly StatementDocument[], wanted: string): string {
  const taken = new Set(present.map(({ Sid }) => Sid));
  for (let number = 2; ; number++) if (!taken.has(`${wanted}${number}`)) return `${wanted}${number}`;
}

const negatedArn = /^(?:ForAllValues:)?(?:Arn|String)Not(?:Equals|Like)(?:IgnoreCase)?(?:IfExists)?$/;

/** A deny that goes on for everybody but this principal: the ARN joins the exceptions, or is the first of them. */
export function exemptPrincipal(statement: StatementDocument, principalArn: string): StatementDocument {
  const condition = statement.Condition ?? {};
  for (const [operator, keys] of Object.entries(condition)) {
    const key = Object.keys(keys).find((name) => name.toLowerCase() === "aws:principalarn");
    if (key === undefined || !negatedArn.test(operator)) continue;
    const exceptions = [...[keys[key] ?? []].flat(), principalArn];
    return { ...statement, Condition: { ...condition, [operator]: { ...keys, [key]: exceptions } } };
  }
  const own = { ...condition["ArnNotEquals"], "aws:PrincipalArn": principalArn };
  return { ...statement, Condition: { ...condition, ArnNotEquals: own } };
}

/** The deny without that action; without any, or when the action is only meant by a pattern, there is none left. */
export function liftAction(statement: StatementDocument, action: string): StatementDocument | undefined {
  const actions = [statement.Action ?? []].flat();
  const kept = actions.filter((one) => one.toLowerCase() !== action.toLowerCase());
  return kept.length === 0 || kept.length === actions.length ? undefined : { ...statement, Action: kept };
}
