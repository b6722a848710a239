import { type CompiledPolicy, compilePolicy, type CompiledStatement } from "./compile-policy.ts";
import { type Condition, matchCondition } from "./condition.ts";
import type { EvaluationCase, Layer, MatchedStatement } from "./evaluation-case.ts";
import { listLayerPolicies, policyName } from "./layer-policies.ts";
import { matchCaller, matchesAction, matchResources } from "./match-statement.ts";
import type { PrincipalMatch } from "./principal-pattern.ts";
import { type KeyValues, openRequest, type RequestContext } from "./request-context.ts";
import { type Truth, yes } from "./truth.ts";

export interface ConditionTrace {
  readonly condition: Condition;
  readonly actual: KeyValues;
  readonly truth: Truth;
}

/** How each part of one statement fared; only made when a decision has to be explained. */
export interface StatementTrace {
  readonly layer: Layer;
  readonly policy: string;
  readonly orgIdentifier?: string;
  readonly statement: CompiledStatement;
  readonly action: boolean;
  readonly resources: Truth;
  readonly caller: PrincipalMatch;
  readonly conditions: readonly ConditionTrace[];
  /** The conditions that do not certainly hold. */
  readonly failing: readonly ConditionTrace[];
}

export function traceStatements(
  given: EvaluationCase,
  layer: Layer,
  request: RequestContext,
): readonly StatementTrace[] {
  return traceChosen({ given, layer, choose: ({ statements }) => statements }, request);
}

/** Only the statements that cover the request's action. */
export function traceCovering(
  given: EvaluationCase,
  layer: Layer,
  request: RequestContext,
): readonly StatementTrace[] {
  return traceChosen({ given, layer, choose: (policy) => policy.statementsFor(request.action) }, request);
}

/** How the parts of one statement of a result fared. */
export function findStatementTrace(
  given: EvaluationCase,
  place: Pick<MatchedStatement, "layer" | "policy" | "orgIdentifier" | "index">,
): StatementTrace | undefined {
  return traceStatements(given, place.layer, openRequest(given)).find(
    ({ policy, orgIdentifier, statement }) =>
      policy === place.policy && orgIdentifier === place.orgIdentifier && statement.index === place.index,
  );
}

interface Choice {
  readonly given: EvaluationCase;
  readonly layer: Layer;
  choose(policy: CompiledPolicy): readonly CompiledStatement[];
}

function traceChosen({ given, layer, choose }: Choice, request: RequestContext): readonly StatementTrace[] {
  return listLayerPolicies(given, layer).flatMap(({ policies, orgIdentifier }) =>
    policies.flatMap((named, place) => {
      const policy = policyName(layer, named, place);
      return choose(compilePolicy(named.policy, policy)).map((statement) => ({
        layer,
        policy,
        ...(orgIdentifier === undefined ? {} : { orgIdentifier }),
        ...traceStatement(statement, request, layer),
      }));
    }),
  );
}

function traceStatement(statement: CompiledStatement, request: RequestContext, layer: Layer) {
  const conditions = statement.conditions.map((condition) => ({
    condition,
    actual: request.readKey(condition.key),
    truth: matchCondition(condition, request),
  }));
  return {
    statement,
    action: matchesAction(statement, request),
    resources: matchResources(statement, request),
    caller: matchCaller(statement, request, layer),
    conditions,
    failing: conditions.filter(({ truth }) => truth !== yes),
  };
}
