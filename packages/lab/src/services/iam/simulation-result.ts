import type { EvaluationCase, EvaluationResult, MatchedStatement } from "@garrison/iam/evaluation-case";
import type { EvaluationResult as SimulatedAction, PolicySourceType, Statement } from "@aws-sdk/client-iam";
import { resourceTemplate } from "./resource-templates.ts";

/** One action on one resource, decided. */
export interface SimulatedResource {
  readonly arn: string;
  readonly question: EvaluationCase;
  readonly result: EvaluationResult;
  readonly missing: readonly string[];
}

const decisions = {
  Allowed: "allowed",
  ExplicitlyDenied: "explicitDeny",
  ImplicitlyDenied: "implicitDeny",
  Unknown: "implicitDeny",
} as const;

type Decision = (typeof decisions)[keyof typeof decisions];

/** All resources of one action in the shape of the API: unions on top, per-ARN verdicts below. */
export function describeAction(
  action: string,
  simulated: readonly SimulatedResource[],
  crossAccount: boolean,
): SimulatedAction {
  const named = simulated.filter(({ arn }) => arn !== "*");
  const organizations = simulated
    .map(({ result }) => layerAllows(result, "scp"))
    .filter((allows) => allows !== undefined);
  const boundaries = simulated
    .map(({ result }) => layerAllows(result, "boundary"))
    .filter((allows) => allows !== undefined);
  return {
    EvalActionName: action,
    EvalResourceName: resourceTemplate(
      action,
      simulated.map(({ arn }) => arn),
    ),
    EvalDecision: strictest(simulated.map(({ result }) => decisions[result.decision])),
    MatchedStatements: uniqueStatements(simulated.flatMap(({ result }) => statementsOf(result))),
    MissingContextValues: [...new Set(simulated.flatMap(({ missing }) => missing))],
    ...(organizations.length === 0
      ? {}
      : { OrganizationsDecisionDetail: { AllowedByOrganizations: organizations.every(Boolean) } }),
    ...(boundaries.length === 0
      ? {}
      : { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: boundaries.every(Boolean) } }),
    ...(crossAccount ? { EvalDecisionDetails: crossAccountDetails(simulated) } : {}),
    ...(named.length === 0 ? {} : { ResourceSpecificResults: named.map(describeResource) }),
  };
}

function describeResource({ arn, result, missing }: SimulatedResource) {
  const boundary = layerAllows(result, "boundary");
  return {
    EvalResourceName: arn,
    EvalResourceDecision: decisions[result.decision],
    MatchedStatements: statementsOf(result),
    MissingContextValues: [...missing],
    ...(boundary === undefined
      ? {}
      : { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: boundary } }),
  };
}

function strictest(all: readonly Decision[]): Decision {
  if (all.includes("explicitDeny")) return "explicitDeny";
  return all.includes("implicitDeny") ? "implicitDeny" : "allowed";
}

function layerAllows({ layers }: EvaluationResult, layer: "scp" | "boundary"): boolean | undefined {
  const verdict = layers.find((candidate) => candidate.layer === layer)?.verdict;
  return verdict === undefined || verdict === "not-applicable" ? undefined : verdict === "allows";
}

/** The statements that made the decision. What an SCP says is never told. */
function statementsOf({ decision, matched }: EvaluationResult): Statement[] {
  if (decision === "ImplicitlyDenied") return [];
  const effect = decision === "ExplicitlyDenied" ? "Deny" : "Allow";
  return matched
    .filter(
      (statement) =>
        statement.effect === effect && (statement.layer === "identity" || statement.layer === "resource"),
    )
    .map(describeStatement);
}

function describeStatement({ policy, layer }: MatchedStatement): Statement {
  const SourcePolicyType = (layer === "resource" ? "Resource Policy" : "IAM Policy") as PolicySourceType;
  return { SourcePolicyId: policy.slice(policy.lastIndexOf("/") + 1), SourcePolicyType };
}

function uniqueStatements(statements: readonly Statement[]): Statement[] {
  return [...new Map(statements.map((statement) => [JSON.stringify(statement), statement])).values()];
}

function crossAccountDetails(simulated: readonly SimulatedResource[]): Record<string, Decision> {
  const side = (layer: "identity" | "resource"): Decision =>
    strictest(
      simulated.map(({ result }) => {
        const verdict = result.layers.find((candidate) => candidate.layer === layer)?.verdict;
        if (verdict === "denies") return "explicitDeny";
        return verdict === "allows" ? "allowed" : "implicitDeny";
      }),
    );
  return { "IAM Policy": side("identity"), "Resource Policy": side("resource") };
}
