import { listsAction } from "./action-pattern.ts";
import type { CompiledStatement } from "./compile-policy.ts";
import type { Layer } from "./evaluation-case.ts";
import { matchCondition } from "./condition.ts";
import { isExempt, matchPrincipal, type PrincipalMatch } from "./principal-pattern.ts";
import type { RequestContext } from "./request-context.ts";
import { matchResource } from "./resource-pattern.ts";
import { and, no, not, or, type Truth, unknown, yes } from "./truth.ts";

export function matchesAction(statement: CompiledStatement, request: RequestContext): boolean {
  return listsAction(statement.actions, request.action) !== statement.isNotAction;
}

export function matchResources(statement: CompiledStatement, request: RequestContext): Truth {
  if (statement.resources === undefined) return yes;
  let listed: Truth = no;
  for (const pattern of statement.resources) {
    const one = matchResource(pattern, request.resource, request);
    listed = or(listed, one === unknown ? request.ask(`the resource is ${pattern.source}`) : one);
    if (listed === yes) break;
  }
  return statement.isNotResource ? not(listed) : listed;
}

/**
 * How the statement names the caller. Statements without a principal mean whoever they belong to; in a resource's policy,
 * which belongs to nobody, such an Allow is malformed and grants nothing.
 */
export function matchCaller(
  statement: CompiledStatement,
  request: RequestContext,
  layer: Layer,
): PrincipalMatch {
  if (statement.principal === undefined)
    return layer === "resource" && statement.effect === "Allow" ? "none" : "direct";
  if (!statement.isNotPrincipal) return matchPrincipal(statement.principal, request.principal);
  return isExempt(statement.principal, request, statement.effect) ? "none" : "direct";
}

export function matchConditions(statement: CompiledStatement, request: RequestContext): Truth {
  let result: Truth = yes;
  for (const condition of statement.conditions) {
    result = and(result, matchCondition(condition, request));
    if (result === no) return no;
  }
  return result;
}

/**
 * Whether a statement that covers the action applies to the request; the caller's match is asked for separately, since it
 * has degrees.
 */
export function matchStatement(statement: CompiledStatement, request: RequestContext): Truth {
  const resources = matchResources(statement, request);
  return resources === no ? no : and(resources, matchConditions(statement, request));
}
