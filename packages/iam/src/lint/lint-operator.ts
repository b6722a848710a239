import { type OperatorName, parseOperatorName } from "../condition.ts";
import { parseIpRange } from "../ip-range.ts";
import { parseDate } from "../parse-date.ts";
import type { FoundKey } from "./find-condition-key.ts";
import type { LintFinding } from "./lint-finding.ts";

type OperatorFinding = Pick<LintFinding, "code" | "severity" | "message">;

export interface OperatorUse {
  /** As it is written. */
  readonly operator: string;
  readonly key: FoundKey;
  readonly values: readonly string[];
  readonly effect: "Allow" | "Deny";
}

type Family = "String" | "Arn" | "Numeric" | "Date" | "Bool" | "Binary" | "IpAddress" | "Null";

/** Whether the operator can read the key's values, takes their number, and the policy's values are of its kind. */
export function lintOperator(use: OperatorUse): readonly OperatorFinding[] {
  const name = parseOperatorName(use.operator);
  if (name === undefined) return [];
  const family = familyOf(name);
  const findings = [...lintValues(use, family), ...(family === "Null" ? [] : lintSet(use, name))];
  const misfit = family === "Null" ? undefined : lintFamily(use, family);
  return misfit === undefined ? findings : [misfit, ...findings];
}

function familyOf({ operator }: OperatorName): Family {
  if (operator === "Null") return "Null";
  const found = /^(?:Not)?(String|Arn|Numeric|Date|Bool|Binary|IpAddress)/.exec(operator.name);
  return (found?.[1] ?? "String") as Family;
}

/** What reads a key of each type as it is meant. */
const families: Readonly<Record<string, readonly Family[]>> = {
  String: ["String"],
  ARN: ["Arn", "String"],
  Bool: ["Bool"],
  Numeric: ["Numeric"],
  Date: ["Date"],
  IPAddress: ["IpAddress"],
};

function lintFamily({ operator, key, values }: OperatorUse, family: Family): OperatorFinding | undefined {
  const type = key.type?.replace(/^ArrayOf/, "");
  const fitting = type === undefined ? undefined : families[type];
  if (type === undefined || fitting === undefined || fitting.includes(family)) return undefined;
  // Some keys are ARNs though they are listed as text, and seconds are numbers as well as dates.
  if (family === "Arn" && values.every((value) => value.startsWith("arn:"))) return undefined;
  if (family === "Numeric" && key.name === "aws:EpochTime") return undefined;
  return {
    code: "operator-for-type",
    severity: family === "String" ? "warning" : "error",
    message: `${operator} compares ${key.name}, which is of type ${type}; use ${describeFamily(fitting[0] as Family)}`,
  };
}

function describeFamily(family: Family): string {
  return family === "Bool" || family === "IpAddress" ? family : `${family}Equals or its like`;
}

function lintSet(
  { key, effect, operator }: OperatorUse,
  { qualifier }: OperatorName,
): readonly OperatorFinding[] {
  if (key.type === undefined) return [];
  const isMany = key.type.startsWith("ArrayOf");
  if (isMany && qualifier === undefined) {
    const message = `${key.name} may have several values; say ForAllValues:${operator} or ForAnyValue:${operator}`;
    return [{ code: "set-operator", severity: "warning", message }];
  }
  if (!isMany && qualifier !== undefined) {
    const message = `${key.name} has one value; ${qualifier} ${qualifier === "ForAllValues" ? "also holds where the key is absent" : "adds nothing"}`;
    return [{ code: "set-operator", severity: "warning", message }];
  }
  if (isMany && qualifier === "ForAllValues" && effect === "Allow") {
    const message = `ForAllValues also holds where ${key.name} is absent; add Null { ${JSON.stringify(key.name)}: "false" } if it has to be there`;
    return [{ code: "set-operator", severity: "warning", message }];
  }
  return [];
}

/** A value that can't be read matches neither the operator nor its negation. */
function lintValues({ operator, values }: OperatorUse, family: Family): readonly OperatorFinding[] {
  const unreadable = values.filter((value) => !value.includes("${") && !isReadable(family, value));
  return unreadable.map((value) => ({
    code: "condition-value",
    severity: "error",
    message: `${JSON.stringify(value)} is not what ${operator} compares with (${wanted[family]})`,
  }));
}

const wanted: Readonly<Record<Family, string>> = {
  String: "text",
  Arn: 'an ARN or a pattern of one, or "*"',
  Numeric: "a number",
  Date: "a date as in ISO 8601, or seconds since 1970",
  Bool: "true or false",
  Binary: "Base64",
  IpAddress: "an address or a CIDR range",
  Null: "true or false",
};

function isReadable(family: Family, value: string): boolean {
  switch (family) {
    case "Arn":
      return value === "*" || /^(arn|\*)/.test(value);
    case "Numeric":
      return value.trim() !== "" && Number.isFinite(Number(value));
    case "Date":
      return parseDate(value) !== undefined;
    case "Bool":
    case "Null":
      return /^(true|false)$/i.test(value);
    case "Binary":
      return /^[A-Za-z0-9+/]*={0,2}$/.test(value);
    case "IpAddress":
      return parseIpRange(value) !== undefined;
    default:
      return true;
  }
}
