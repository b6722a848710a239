import { conditionOperators, type Comparable, type ConditionOperator } from "./condition-operators.ts";
import type { ConditionValue, OneOrMany } from "./policy-document.ts";
import type { RequestContext } from "./request-context.ts";
import { parseTemplate, type TextTemplate } from "./text-template.ts";
import { and, no, not, or, type Truth, truthOf, unknown, yes } from "./truth.ts";

/** One key under one operator of a statement's `Condition`. */
export interface Condition {
  /** The operator as it is written, for people. */
  readonly operatorText: string;
  readonly operator: ConditionOperator | "Null";
  readonly qualifier: "ForAllValues" | "ForAnyValue" | undefined;
  readonly ifExists: boolean;
  /** As written, for people; `key` is what is looked up. */
  readonly keyText: string;
  readonly key: string;
  readonly values: readonly TextTemplate[];
}

export interface OperatorName {
  readonly operator: ConditionOperator | "Null";
  readonly qualifier: "ForAllValues" | "ForAnyValue" | undefined;
  readonly ifExists: boolean;
}

/** Reads an operator's name with its qualifier and suffix; undefined if there is no such operator. */
export function parseOperatorName(text: string): OperatorName | undefined {
  const found = /^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$/.exec(text.toLowerCase());
  if (found?.[2] === undefined) return undefined;
  const ifExists = found[3] !== undefined;
  const operator = found[2] === "null" ? "Null" : conditionOperators.get(found[2]);
  if (operator === undefined || (operator === "Null" && ifExists)) return undefined;
  const qualifier =
    found[1] === undefined ? undefined : found[1] === "forallvalues" ? "ForAllValues" : "ForAnyValue";
  return { operator, qualifier, ifExists };
}

export interface ConditionSource {
  readonly operatorText: string;
  readonly key: string;
  readonly values: OneOrMany<ConditionValue>;
  readonly withVariables: boolean;
}

export function compileCondition(source: ConditionSource): Condition {
  const name = parseOperatorName(source.operatorText) as OperatorName;
  const hasVariables = source.withVariables && name.operator !== "Null" && name.operator.allowsVariables;
  const values = (
    Array.isArray(source.values) ? source.values : [source.values]
  ) as readonly ConditionValue[];
  return {
    ...name,
    operatorText: source.operatorText,
    keyText: source.key,
    key: source.key.toLowerCase(),
    values: values.map((value) => parseTemplate(String(value), hasVariables)),
  };
}

export function matchCondition(condition: Condition, request: RequestContext): Truth {
  const actual = request.readKey(condition.key);
  const presence =
    actual === "unknown" ? request.ask(`${condition.key} is present`) : truthOf(actual !== "absent");
  if (condition.operator === "Null") return matchNull(condition, presence);
  if (presence === no) return truthOf(matchesAbsent(condition, condition.operator));
  if (presence === unknown) return unknown;
  const known = typeof actual === "string" ? unknown : matchValues(condition, actual, request);
  return known === unknown ? askTest(condition, condition.operator, request) : known;
}

function matchNull(condition: Condition, presence: Truth): Truth {
  const wanted = new Set(condition.values.map((value) => value.source.toLowerCase()));
  const [ifPresent, ifAbsent] = [truthOf(wanted.has("false")), truthOf(wanted.has("true"))];
  if (ifPresent === ifAbsent) return ifPresent;
  return ifPresent === yes ? presence : not(presence);
}

/** A test and its exact negation are one question; where a malformed value fails both, they are two. */
function askTest(
  { qualifier, key, values }: Condition,
  operator: ConditionOperator,
  request: RequestContext,
): Truth {
  const isExactNegation = operator.isNegated && qualifier === undefined && operator.allowsVariables;
  const name = isExactNegation ? operator.name.replace("Not", "") : operator.name;
  const sources = values.map((value) => value.source).sort();
  const answer = request.ask(`${qualifier ?? ""} ${key} ${name} ${JSON.stringify(sources)}`);
  return isExactNegation ? not(answer) : answer;
}

/** An absent key fails a test, passes its negation, and is what `IfExists` and `ForAllValues` pass over. */
function matchesAbsent(condition: Condition, operator: ConditionOperator): boolean {
  if (condition.ifExists || condition.qualifier === "ForAllValues") return true;
  if (condition.qualifier === "ForAnyValue") return false;
  return operator.isNegated;
}

/** Several values without a qualifier behave as in AWS: a test holds if it does for one, a negated one if for all. */
function matchValues(condition: Condition, actual: readonly string[], request: RequestContext): Truth {
  const operator = condition.operator as ConditionOperator;
  const { qualifier } = condition;
  const isEmpty = qualifier !== undefined && actual.every((value) => value === "");
  if (isEmpty) return truthOf(qualifier === "ForAllValues");
  const needsAll = qualifier === undefined ? operator.isNegated : qualifier === "ForAllValues";
  let result: Truth = needsAll ? yes : no;
  for (const value of actual) {
    const one = matchOneValue(condition, value, request);
    result = needsAll ? and(result, one) : or(result, one);
  }
  return result;
}

/** One value of the request against all of the policy's: any may match; a negated operator wants none to. */
function matchOneValue(condition: Condition, actual: string, request: RequestContext): Truth {
  const operator = condition.operator as ConditionOperator;
  let result: Truth = operator.isNegated ? yes : no;
  for (const wanted of condition.values) {
    const compared = operator.compare(actual, wanted, request);
    result = operator.isNegated ? and(result, negate(compared)) : or(result, hold(compared));
  }
  return result;
}

function hold(compared: Comparable): Truth {
  return compared === "invalid" ? no : compared;
}

function negate(compared: Comparable): Truth {
  return compared === "invalid" ? no : not(compared);
}
