import { parseOperatorName } from "../condition.ts";
import type { ConditionValue, OneOrMany } from "../policy-document.ts";
import { findConditionKey, type FoundKey, nearestConditionKey } from "./find-condition-key.ts";
import { lintOperator } from "./lint-operator.ts";
import type { LintFinding } from "./lint-finding.ts";
import {
  findingAt,
  type LintContext,
  type LintedStatement,
  meantActions,
  shorten,
} from "./linted-statement.ts";

/** Keys that don't exist or that the actions don't carry, and operators that don't fit the keys. */
export function lintConditions(statement: LintedStatement, context: LintContext): readonly LintFinding[] {
  return Object.entries(statement.document.Condition ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).flatMap(([key, values]) => lintOne(statement, { operator, key, values }, context)),
  );
}

interface WrittenCondition {
  readonly operator: string;
  readonly key: string;
  readonly values: OneOrMany<ConditionValue>;
}

function lintOne(
  statement: LintedStatement,
  { operator, key, values }: WrittenCondition,
  { reference }: LintContext,
): readonly LintFinding[] {
  const element = `Condition.${operator}.${key}`;
  const found = findConditionKey(key, reference);
  if (found === undefined) {
    const suggestion = nearestConditionKey(key, reference);
    const finding = {
      code: "unknown-condition-key",
      severity: "error",
      element,
      message: `AWS has no condition key ${key}: it is absent from every request`,
      ...(suggestion === undefined ? {} : { suggestion }),
    } as const;
    return [findingAt(statement, finding)];
  }
  const texts = ([values].flat() as readonly ConditionValue[]).map(String);
  const ofOperator = lintOperator({ operator, key: found, values: texts, effect: statement.document.Effect });
  return [
    ...lintCarriers(statement, { element, key: found, operator }),
    ...ofOperator.map((finding) => findingAt(statement, { ...finding, element })),
  ];
}

/** Which of the statement's actions carry the key at all. */
function lintCarriers(
  statement: LintedStatement,
  { element, key, operator }: { readonly element: string; readonly key: FoundKey; readonly operator: string },
): readonly LintFinding[] {
  const { template, name } = key;
  const meant = meantActions(statement);
  if (template === undefined || meant === undefined) return [];
  const without = meant.filter(({ conditionKeys }) => !conditionKeys.has(template));
  if (without.length === 0) return [];
  const effect = describeEffect(operator, statement.document.Effect);
  if (without.length === meant.length) {
    const message = `no action of the statement carries ${name}: ${effect}`;
    const severity = effect.endsWith("never applies") ? "error" : "warning";
    return [findingAt(statement, { code: "condition-key-of-no-action", severity, element, message })];
  }
  const written = new Set(
    statement.actions.filter((each) => !each.hasWildcard).map(({ text }) => text.toLowerCase()),
  );
  const named = without.map((action) => action.name).filter((action) => written.has(action.toLowerCase()));
  if (named.length === 0) return [];
  const message = `${shorten(named)} ${named.length === 1 ? "carries" : "carry"} no ${name}: for ${named.length === 1 ? "it" : "them"} ${effect}`;
  return [
    findingAt(statement, { code: "condition-key-of-some-actions", severity: "warning", element, message }),
  ];
}

/** What an absent key does to the statement. */
function describeEffect(operatorText: string, effect: "Allow" | "Deny"): string {
  const name = parseOperatorName(operatorText);
  const passes =
    name !== undefined &&
    name.qualifier !== "ForAnyValue" &&
    name.operator !== "Null" &&
    (name.ifExists || name.qualifier === "ForAllValues" || name.operator.isNegated);
  if (name?.operator === "Null") return "the test for its presence always comes out the same";
  const verb = effect === "Allow" ? "allows" : "denies";
  return passes
    ? `the condition always holds, and the statement ${verb} as if it weren't there`
    : `the condition never holds, and the statement never applies`;
}
