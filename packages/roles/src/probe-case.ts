import type { EvaluationCase } from "@garrison/iam/evaluation-case";
import type { ChainSubject } from "./chain-subjects.ts";
import type { GrantProbe } from "./grant-probes.ts";
import { parseRoleArn } from "./role-arn.ts";
import { policyHolderOf, type SeenPolicies } from "./seen-policies.ts";

/** One action on one resource as a case for the evaluator, with every layer that could be read. */
export function probeCase(
  { policies, subject }: { readonly subject: ChainSubject; readonly policies: SeenPolicies },
  probe: GrantProbe,
  what: { readonly action: string; readonly resource: string },
): EvaluationCase {
  const { accountId, partition, roleName } = parseRoleArn(subject.roleArn);
  const { organizationId, permissionBoundaries, resourceControlPolicies, serviceControlPolicies } = policies;
  const context = { ...probe.context, ...organizationContext(organizationId) };
  const optional = {
    permissionBoundaries,
    serviceControlPolicies,
    resourceControlPolicies,
    resourcePolicy: policies.resourcePolicies[policyHolderOf(what.resource)],
    vpcEndpointPolicies: endpointPoliciesOf(policies, probe, what.action),
  };
  const asked = {
    request: {
      action: what.action,
      resource: { resource: what.resource, accountId: what.resource.split(":")[4] || accountId },
      principal: `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/garrison-check`,
      context,
    },
    identityPolicies: policies.identityPolicies,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
  return { ...asked, unknownContext: unforeseenKeys(policies, context) };
}

function organizationContext(organizationId: string | undefined): Readonly<Record<string, string>> {
  if (organizationId === undefined) return {};
  return { "aws:PrincipalOrgID": organizationId, "aws:ResourceOrgID": organizationId };
}

/** Only what the worker's instance calls goes through its VPC's endpoints. */
function endpointPoliciesOf({ endpointPolicies }: SeenPolicies, { grant }: GrantProbe, action: string) {
  if (grant.caller !== "worker" && grant.caller !== "systems-manager-agent") return undefined;
  const policy = endpointPolicies[action.split(":")[0] ?? ""];
  return policy === undefined ? undefined : [policy];
}

/** Keys that somebody's policy tests and that only the call itself will have: their values are not guessed. */
function unforeseenKeys({ testedKeys }: SeenPolicies, context: GrantProbe["context"]): readonly string[] {
  const given = new Set(Object.keys(context).map((key) => key.toLowerCase()));
  return testedKeys.filter((key) => !given.has(key.toLowerCase()) && !derivedKeys.has(key.toLowerCase()));
}

/** The evaluator derives these from the request. */
const derivedKeys: ReadonlySet<string> = new Set([
  "aws:principalarn",
  "aws:principalaccount",
  "aws:principaltype",
  "aws:resourceaccount",
  "aws:principalisawsservice",
]);
