import { matchesArn } from "./arn-match.ts";
import { containsIpRange, parseIpRange } from "./ip-range.ts";
import { parseDate } from "./parse-date.ts";
import { renderLiteral, renderPattern, type TextTemplate, type VariableSource } from "./text-template.ts";
import { no, type Truth, truthOf, unknown } from "./truth.ts";
import { matchesCodes } from "./wildcard-pattern.ts";

/** Compares one value of the request with one value of the policy, not yet negated. */
export type Comparison = (actual: string, wanted: TextTemplate, variables: VariableSource) => Comparable;

/** `invalid`: one of the two can't be read as what the operator compares; then neither it nor its negation holds. */
export type Comparable = Truth | "invalid";

export interface ConditionOperator {
  readonly name: string;
  readonly isNegated: boolean;
  readonly allowsVariables: boolean;
  readonly compare: Comparison;
}

const stringEquals: Comparison = (actual, wanted, variables) => {
  if (wanted.isPlain) return truthOf(actual === wanted.source);
  return matchRendered(renderLiteral(wanted, variables), (codes) => matchesCodes(codes, actual));
};

const stringEqualsIgnoreCase: Comparison = (actual, wanted, variables) => {
  const lower = actual.toLowerCase();
  if (wanted.isPlain) return truthOf(lower === wanted.source.toLowerCase());
  return matchRendered(renderLiteral(wanted, variables), (codes) =>
    matchesCodes(codes.map(lowerCode), lower),
  );
};

const stringLike: Comparison = (actual, wanted, variables) =>
  matchRendered(renderPattern(wanted, variables), (codes) => matchesCodes(codes, actual));

const arnLike: Comparison = (actual, wanted, variables) =>
  matchRendered(renderPattern(wanted, variables), (codes) => matchesArn(codes, actual));

function lowerCode(code: number): number {
  return code < 0 ? code : String.fromCharCode(code).toLowerCase().charCodeAt(0);
}

function matchRendered(
  rendered: ReturnType<typeof renderPattern>,
  matches: (codes: readonly number[]) => boolean,
): Truth {
  if (rendered === undefined || !matches(rendered.codes)) return no;
  return rendered.isUnknown ? unknown : 2;
}

const bool: Comparison = (actual, wanted, variables) => {
  if (!/^(true|false)$/i.test(actual)) return "invalid";
  return stringEqualsIgnoreCase(actual, wanted, variables);
};

const binaryEquals: Comparison = (actual, wanted) => {
  const [left, right] = [decodeBase64(actual), decodeBase64(wanted.source)];
  return left === undefined || right === undefined ? "invalid" : truthOf(left.equals(right));
};

function decodeBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

const ipAddress: Comparison = (actual, wanted) => {
  const [inner, outer] = [parseIpRange(actual), parseIpRange(wanted.source)];
  return inner === undefined || outer === undefined ? "invalid" : truthOf(containsIpRange(outer, inner));
};

function ordered(
  parse: (text: string) => number | undefined,
  holds: (difference: number) => boolean,
): Comparison {
  return (actual, wanted) => {
    const [left, right] = [parse(actual), parse(wanted.source)];
    if (left === undefined || right === undefined) return "invalid";
    return truthOf(holds(left - right));
  };
}

function parseNumber(text: string): number | undefined {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text.trim()) ? Number(text) : undefined;
}

function define(name: string, compare: Comparison, options: { negated?: boolean; variables?: boolean } = {}) {
  const { negated = false, variables = false } = options;
  return [name.toLowerCase(), { name, isNegated: negated, allowsVariables: variables, compare }] as const;
}

function defineOrdered(prefix: string, parse: (text: string) => number | undefined) {
  const equals = ordered(parse, (difference) => difference === 0);
  return [
    define(`${prefix}Equals`, equals),
    define(`${prefix}NotEquals`, equals, { negated: true }),
    define(
      `${prefix}LessThan`,
      ordered(parse, (difference) => difference < 0),
    ),
    define(
      `${prefix}LessThanEquals`,
      ordered(parse, (difference) => difference <= 0),
    ),
    define(
      `${prefix}GreaterThan`,
      ordered(parse, (difference) => difference > 0),
    ),
    define(
      `${prefix}GreaterThanEquals`,
      ordered(parse, (difference) => difference >= 0),
    ),
  ];
}

const withVariables = { variables: true };
const negatedWithVariables = { negated: true, variables: true };

/** Every operator that compares, by its name in lower case without qualifier and `IfExists`; `Null` is not one. */
export const conditionOperators: ReadonlyMap<string, ConditionOperator> = new Map<string, ConditionOperator>([
  define("StringEquals", stringEquals, withVariables),
  define("StringNotEquals", stringEquals, negatedWithVariables),
  define("StringEqualsIgnoreCase", stringEqualsIgnoreCase, withVariables),
  define("StringNotEqualsIgnoreCase", stringEqualsIgnoreCase, negatedWithVariables),
  define("StringLike", stringLike, withVariables),
  define("StringNotLike", stringLike, negatedWithVariables),
  define("ArnEquals", arnLike, withVariables),
  define("ArnLike", arnLike, withVariables),
  define("ArnNotEquals", arnLike, negatedWithVariables),
  define("ArnNotLike", arnLike, negatedWithVariables),
  define("Bool", bool, withVariables),
  define("BinaryEquals", binaryEquals),
  define("IpAddress", ipAddress),
  define("NotIpAddress", ipAddress, { negated: true }),
  ...defineOrdered("Numeric", parseNumber),
  ...defineOrdered("Date", parseDate),
]);
