import type { Decision, EvaluationCase, Layer } from "./evaluation-case.ts";
import type { RequestContext } from "./request-context.ts";
import { compileResourcePattern, matchResource } from "./resource-pattern.ts";
import type { TextTemplate } from "./text-template.ts";
import { type ConditionTrace, type StatementTrace, traceCovering } from "./trace-statements.ts";
import { no, unknown, yes } from "./truth.ts";

interface Question {
  readonly given: EvaluationCase;
  readonly request: RequestContext;
  readonly decision: Decision;
  readonly layers: readonly Layer[];
}

/**
 * The context keys, absent or unknown, on which a decision other than `Allowed` depends: those that keep an allow from
 * holding with nothing else in its way, and those whose absence makes a deny hold.
 */
export function listMissingContext({ given, request, decision, layers }: Question): readonly string[] {
  const keys = new Map<string, string>();
  for (const trace of layers.flatMap((layer) => traceCovering(given, layer, request))) {
    for (const key of keysOf(trace, decision, request)) {
      if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key);
    }
  }
  return [...keys.values()];
}

function keysOf(trace: StatementTrace, decision: Decision, request: RequestContext): readonly string[] {
  if (trace.caller === "none") return [];
  if (trace.statement.effect === "Deny") return keysOfDeny(trace, decision, request);
  if (decision === "ExplicitlyDenied") return [];
  const variables = missingResourceVariables(trace, request);
  if (trace.resources === no && variables.length === 0) return [];
  const gaps = trace.failing.map((failing) => missingKeys(failing, request));
  return gaps.some((keys) => keys.length === 0) ? [] : [...variables, ...gaps.flat()];
}

function keysOfDeny(trace: StatementTrace, decision: Decision, request: RequestContext): readonly string[] {
  if (trace.resources === no || trace.conditions.some(({ truth }) => truth === no)) return [];
  const certain = trace.resources === yes && trace.failing.length === 0;
  if (decision === "ExplicitlyDenied") {
    if (!certain) return [];
    return trace.conditions
      .filter(({ actual, condition }) => actual === "absent" && condition.operator !== "Null")
      .map(({ condition }) => condition.keyText);
  }
  if (decision !== "Unknown") return [];
  return [
    ...missingResourceVariables(trace, request),
    ...trace.failing.flatMap((failing) => missingKeys(failing, request)),
  ];
}

/** Why a condition fails for want of a key: its own, or one that a variable in its values needs. */
function missingKeys(
  { condition, actual, truth }: ConditionTrace,
  request: RequestContext,
): readonly string[] {
  if (actual === "unknown" || actual === "absent") return [condition.keyText];
  const variables = condition.values.flatMap((value) => missingVariables(value, request));
  return truth === unknown
    ? variables.filter((key) => request.readKey(key.toLowerCase()) === "unknown")
    : variables;
}

function missingVariables(template: TextTemplate, request: RequestContext): readonly string[] {
  return template.parts.flatMap((part) => {
    if (part.kind !== "variable") return [];
    const value = request.readVariable(part.key);
    return value === "unknown" || (value === "absent" && part.fallback === undefined) ? [part.keyText] : [];
  });
}

/** Variables without a value in the resources, if the pattern would fit for some value of them. */
function missingResourceVariables(
  { statement, resources }: StatementTrace,
  request: RequestContext,
): readonly string[] {
  if (statement.isNotResource || resources === yes) return [];
  return (statement.resources ?? []).flatMap((pattern) => {
    const missing = missingVariables(pattern.template, request);
    if (missing.length === 0) return [];
    const source = { readVariable: (key: string) => fillUnknown(request, key) };
    const withAny = compileResourcePattern(pattern.source, true);
    return matchResource(withAny, request.resource, source) === no ? [] : missing;
  });
}

function fillUnknown(request: RequestContext, key: string): ReturnType<RequestContext["readVariable"]> {
  const value = request.readVariable(key);
  return value === "absent" ? "unknown" : value;
}
