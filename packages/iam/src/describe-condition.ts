import { doesCallCarry } from "./call-context-keys.ts";
import { listWords } from "./layer-words.ts";
import type { KeyValues } from "./request-context.ts";
import type { ConditionTrace } from "./trace-statements.ts";

const wanting: Readonly<Record<string, string>> = {
  StringEquals: "to be",
  StringNotEquals: "not to be",
  StringEqualsIgnoreCase: "to be (in any case)",
  StringNotEqualsIgnoreCase: "not to be (in any case)",
  StringLike: "to be like",
  StringNotLike: "not to be like",
  ArnEquals: "to be like",
  ArnLike: "to be like",
  ArnNotEquals: "not to be like",
  ArnNotLike: "not to be like",
  Bool: "to be",
  BinaryEquals: "to be",
  IpAddress: "to be in",
  NotIpAddress: "not to be in",
};

/** "aws:RequestedRegion to be "eu-central-1" (StringEquals)". */
export function describeWanted({ condition }: ConditionTrace): string {
  const { operator, keyText, operatorText } = condition;
  const values = condition.values.map((value) => value.source);
  if (operator === "Null") {
    const isAbsentWanted = values.some((value) => value.toLowerCase() === "true");
    return `${keyText} to be ${isAbsentWanted ? "absent" : "present"} (${operatorText})`;
  }
  const words = wanting[operator.name] ?? `to hold ${operator.name}`;
  return `${keyText} ${words} ${listWords(values)} (${operatorText})`;
}

/** What the request has instead. */
export function describeActual(actual: KeyValues): string {
  if (actual === "absent") return "the request has no such key";
  if (actual === "unknown") return "its value is not known";
  return `it is ${actual.map((value) => JSON.stringify(value)).join(", ")}`;
}

/** The action helps where a key is absent: some calls never carry it, whatever the caller does. */
export function describeFailing(failing: readonly ConditionTrace[], action: string): string {
  return failing
    .map((trace) => {
      const never = trace.actual === "absent" && doesCallCarry(action, trace.condition.keyText) === false;
      const hint = never ? `, and a call of ${action} never carries it` : "";
      return `${describeWanted(trace)} but ${describeActual(trace.actual)}${hint}`;
    })
    .join(", and ");
}
