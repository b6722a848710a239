import type { EvaluationCase, Layer } from "./evaluation-case.ts";
import type { ConditionBlock, ConditionValue, OneOrMany, StatementDocument } from "./policy-document.ts";
import { principalArn, readPrincipal } from "./request-principal.ts";
import type { ConditionTrace, StatementTrace } from "./trace-statements.ts";

/** The smallest statement that lets a silent layer allow the request. */
export function suggestAllow(given: EvaluationCase, layer: Layer): StatementDocument {
  const { action, resource } = given.request;
  const base = { Effect: "Allow", Action: action } as const;
  if (layer === "identity" || layer === "boundary" || layer === "session" || layer === "scp") {
    return { ...base, Resource: resource.resource };
  }
  const isTrust = layer === "resource" && /^arn:[^:]*:iam:.*:role\//.test(resource.resource);
  const isKey = layer === "resource" && /^arn:[^:]*:kms:/.test(resource.resource);
  const resources = isTrust ? {} : { Resource: isKey ? "*" : resource.resource };
  return { ...base, Principal: layer === "resource" ? suggestPrincipal(given) : "*", ...resources };
}

function suggestPrincipal({ request }: EvaluationCase): StatementDocument["Principal"] {
  const principal = readPrincipal(request.principal);
  if (principal.kind === "anonymous") return "*";
  if (principal.kind === "service") return { Service: principal.name };
  if (principal.kind === "identity-provider") return { Federated: principal.name };
  if (principal.kind === "canonical") return { CanonicalUser: principal.name };
  return { AWS: principalArn(principal) ?? principal.name };
}

/**
 * The statement that nearly allowed, widened just enough. None if a key is missing from the request: then the request has to
 * change, and dropping the condition would be a hole (an external ID, say).
 */
export function widenConditions(trace: StatementTrace): StatementDocument | undefined {
  let conditions: ConditionBlock | undefined = trace.statement.document.Condition;
  for (const failing of trace.failing) {
    conditions = conditions === undefined ? undefined : widenCondition(conditions, failing);
  }
  return conditions === undefined ? undefined : { ...trace.statement.document, Condition: conditions };
}

/** Who must prove something by a value must not be let in with another one: external ids and claims of identity providers. */
const secretKeys = /^sts:|:(sub|aud|amr)$/i;

function widenCondition(
  block: ConditionBlock,
  { condition, actual }: ConditionTrace,
): ConditionBlock | undefined {
  const { operator, operatorText, keyText } = condition;
  if (secretKeys.test(keyText)) return undefined;
  const isListed =
    operator !== "Null" && /^(String(Not)?(Equals|Like)|Arn|(Not)?IpAddress)/.test(operator.name);
  if (!isListed || typeof actual === "string" || typeof operator === "string") return undefined;
  const keys = block[operatorText] ?? {};
  const values = listOf(keys[keyText] ?? []);
  const next = operator.isNegated
    ? values.filter((value) => !actual.includes(String(value)))
    : [...values, ...actual.filter((value) => !values.includes(value))];
  if (next.length === 0 || next.length === values.length) return undefined;
  return { ...block, [operatorText]: { ...keys, [keyText]: next } };
}

/** The denying statement with the caller excepted from it. */
export function exceptCaller(given: EvaluationCase, trace: StatementTrace): StatementDocument | undefined {
  const caller = readPrincipal(given.request.principal);
  const arn = principalArn(caller);
  if (arn === undefined) return undefined;
  const { document } = trace.statement;
  const operator = caller.kind === "session" ? "ArnNotLike" : "ArnNotEquals";
  const block = document.Condition ?? {};
  const keys = block[operator] ?? {};
  const name =
    Object.keys(keys).find((key) => key.toLowerCase() === "aws:principalarn") ?? "aws:PrincipalArn";
  const values = [...listOf(keys[name] ?? []), arn];
  return {
    ...document,
    Condition: { ...block, [operator]: { ...keys, [name]: values.length === 1 ? arn : values } },
  };
}

function listOf(values: OneOrMany<ConditionValue>): readonly ConditionValue[] {
  return (Array.isArray(values) ? values : [values]) as readonly ConditionValue[];
}
