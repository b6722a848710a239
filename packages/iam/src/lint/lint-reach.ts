import { coversAction, coversStatement } from "./cover-statement.ts";
import type { LintFinding } from "./lint-finding.ts";
import { findingAt, type LintedStatement } from "./linted-statement.ts";

/** Statements without effect: denied by another one, contained in another one, or with a Sid that is taken. */
export function lintReach(statements: readonly LintedStatement[]): readonly LintFinding[] {
  return statements.flatMap((statement) => [
    ...lintSid(statement, statements),
    ...lintDenied(statement, statements),
    ...lintContained(statement, statements),
  ]);
}

function lintSid(statement: LintedStatement, all: readonly LintedStatement[]): readonly LintFinding[] {
  const { Sid } = statement.document;
  if (Sid === undefined || Sid === "") return [];
  const first = all.find(({ document }) => document.Sid === Sid);
  if (first === undefined || first.index >= statement.index) return [];
  const message = `the Sid ${JSON.stringify(Sid)} is taken by ${first.where}; AWS refuses a policy that has one twice`;
  return [findingAt(statement, { code: "duplicate-sid", severity: "error", element: "Sid", message })];
}

function lintDenied(statement: LintedStatement, all: readonly LintedStatement[]): readonly LintFinding[] {
  const { document, actions } = statement;
  if (document.Effect !== "Allow") return [];
  const denies = all.filter((other) => other.document.Effect === "Deny");
  const whole = denies.find((deny) => coversStatement(deny.document, document));
  if (whole !== undefined) return [unreachable(statement, [whole])];
  if (document.Action === undefined) return [];
  const denied = actions.flatMap(({ text }) => {
    const by = denies.find((deny) => coversAction(deny.document, document, text));
    return by === undefined ? [] : [{ text, by }];
  });
  if (denied.length > 0 && denied.length === actions.length) {
    return [unreachable(statement, [...new Set(denied.map(({ by }) => by))])];
  }
  return denied.map(({ text, by }) => {
    const message = `${text} is allowed here and always denied by ${nameOf(by)}`;
    return findingAt(statement, {
      code: "action-denied-anyway",
      severity: "warning",
      element: "Action",
      message,
    });
  });
}

function unreachable(statement: LintedStatement, by: readonly LintedStatement[]): LintFinding {
  const message = `whatever it allows is denied by ${by.map(nameOf).join(" and ")}: it has no effect`;
  return findingAt(statement, { code: "unreachable-statement", severity: "error", message });
}

function lintContained(statement: LintedStatement, all: readonly LintedStatement[]): readonly LintFinding[] {
  const { document, index } = statement;
  const container = all.find((other) => {
    if (other === statement || other.document.Effect !== document.Effect) return false;
    if (!coversStatement(other.document, document)) return false;
    // Of two that say the same the first one stays.
    return other.index < index || !coversStatement(document, other.document);
  });
  if (container === undefined) return [];
  const message = `${nameOf(container)} says all of it already: it can be left out`;
  return [findingAt(statement, { code: "contained-statement", severity: "warning", message })];
}

function nameOf({ where, document }: LintedStatement): string {
  return document.Sid === undefined || document.Sid === "" ? where : `${where} (${document.Sid})`;
}
