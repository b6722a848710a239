import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationCase, EvaluationResult } from "@garrison/iam/evaluation-case";
import type { CallerPrincipal } from "../identity/caller-principal.ts";
import type { Lab } from "../lab.ts";
import type { Authorization, ResourceAccess } from "../wire/operation-handler.ts";
import { resourceContext, type Context, type RequestFacts } from "./global-context.ts";
import { organizationLevels } from "./organization-levels.ts";
import { policiesOfCaller } from "./principal-policies.ts";

/** One action by one caller, with the condition keys that hold for the whole call. */
export interface AccessQuestion {
  readonly caller: CallerPrincipal;
  readonly context: Context;
  readonly endpoint?: RequestFacts["endpoint"];
  readonly authorization: Authorization;
  readonly resource: ResourceAccess;
}

export interface AccessAnswer {
  readonly question: EvaluationCase;
  readonly result: EvaluationResult;
}

/** Asks the evaluator, with every layer that applies to this caller and this resource. */
export function evaluateAccess(
  lab: Lab,
  { caller, context, endpoint, authorization, resource }: AccessQuestion,
): AccessAnswer {
  const { parsed, organization } = lab;
  const { action } = authorization;
  const held = policiesOfCaller(lab.effectiveIdentity, parsed, caller);
  const identityPolicies = lab.withheld.enforced(caller.roleArn, held.identityPolicies);
  const policies = { ...held, identityPolicies };
  const isServiceLinked = caller.roleArn?.includes(":role/aws-service-role/") ?? false;
  const scps =
    caller.type === "anonymous" || isServiceLinked
      ? undefined
      : organizationLevels(organization, parsed, {
          accountId: caller.accountId,
          type: "SERVICE_CONTROL_POLICY",
        });
  const rcps = isServiceLinked
    ? undefined
    : organizationLevels(organization, parsed, {
        accountId: resource.accountId,
        type: "RESOURCE_CONTROL_POLICY",
      });
  const question: EvaluationCase = {
    request: {
      action,
      resource: { resource: resource.arn, accountId: resource.accountId },
      principal: caller.type === "anonymous" ? { type: "Anonymous" } : caller.arn,
      context: { ...context, ...authorization.context, ...resourceContext(organization, resource, action) },
    },
    ...policies,
    ...endpointPolicies(lab, endpoint, action),
    ...(resource.bucket === undefined ? {} : { bucket: resource.bucket }),
    ...(resource.policy === undefined ? {} : { resourcePolicy: resource.policy }),
    ...(resource.kmsGrants === undefined ? {} : { kmsGrants: resource.kmsGrants }),
    ...(scps === undefined ? {} : { serviceControlPolicies: scps }),
    ...(rcps === undefined ? {} : { resourceControlPolicies: rcps }),
  };
  return { question, result: evaluate(question) };
}

/** The endpoint's policy limits the actions of its own service. */
function endpointPolicies(
  lab: Lab,
  endpoint: AccessQuestion["endpoint"],
  action: string,
): Pick<EvaluationCase, "vpcEndpointPolicies"> {
  if (endpoint === undefined || !action.startsWith(`${endpoint.service}:`)) return {};
  const { vpcEndpointId, policyDocument } = endpoint.record;
  return { vpcEndpointPolicies: [{ name: vpcEndpointId, policy: lab.parsed.parse(policyDocument) }] };
}
