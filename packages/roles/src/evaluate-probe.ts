import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationCase, EvaluationResult } from "@garrison/iam/evaluation-case";
import { explain } from "@garrison/iam/explain";
import type { ChainSubject } from "./chain-subjects.ts";
import { missingAllow, type Denial } from "./explain-simulation.ts";
import type { GrantProbe } from "./grant-probes.ts";
import type { CollectedPolicies } from "./policy-reader.ts";
import { parseRoleArn } from "./role-arn.ts";

export interface EvaluatedProbe extends Denial {
  readonly verdict: "allowed" | "denied" | "unknown";
  readonly result: EvaluationResult;
}

/** Judges one action on one resource by the policies that could be read. */
export function evaluateProbe(
  known: { readonly subject: ChainSubject; readonly policies: CollectedPolicies },
  probe: GrantProbe,
  what: { readonly action: string; readonly resource: string },
): EvaluatedProbe {
  const asked = probeCase(known, probe, what);
  // The policies of keys and buckets aren't at hand; the run meets them with the task's own narrower credentials.
  const result = evaluate(asked, { scope: "identity-side" });
  const { decision } = result;
  if (decision === "Allowed") return { verdict: "allowed", sentence: "", result };
  const explanation = explain(asked, result);
  const layer = explanation.layer ?? result.blockedBy[0] ?? "identity";
  if (decision === "ImplicitlyDenied" && layer === "identity" && explanation.statement === undefined) {
    return { ...missingAllow(known.subject, probe, what), verdict: "denied", result };
  }
  const attachedTo = result.matched.find(
    ({ effect, layer: at }) => effect === "Deny" && at === layer,
  )?.orgIdentifier;
  const statement = {
    layer,
    policy: explanation.statement?.policy ?? silentPolicies(known.policies, layer),
    sid: explanation.statement?.sid,
    statementIndex: explanation.statement?.index,
    accountId: known.subject.accountId,
    ...(attachedTo === undefined ? {} : { attachedTo }),
  };
  const verdict = decision === "Unknown" ? "unknown" : "denied";
  return { verdict, sentence: explanation.sentence, statement, result };
}

/** Where nothing denies and yet nothing allows: the policies in which the allow is missing. */
function silentPolicies(policies: CollectedPolicies, layer: string): string {
  const silent = layer === "boundary" ? (policies.permissionBoundaries ?? []) : [];
  const names = silent.flatMap(({ name }) => name ?? []);
  return names.length > 0 ? names.join(", ") : layer;
}

function probeCase(
  { policies, subject }: { readonly subject: ChainSubject; readonly policies: CollectedPolicies },
  probe: GrantProbe,
  what: { readonly action: string; readonly resource: string },
): EvaluationCase {
  const { accountId, partition, roleName } = parseRoleArn(subject.roleArn);
  return {
    request: {
      action: what.action,
      resource: { resource: what.resource, accountId },
      principal: `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/garrison-check`,
      context: probe.context,
    },
    identityPolicies: policies.identityPolicies,
    ...(policies.permissionBoundaries === undefined
      ? {}
      : { permissionBoundaries: policies.permissionBoundaries }),
    ...(policies.serviceControlPolicies === undefined
      ? {}
      : { serviceControlPolicies: policies.serviceControlPolicies }),
    ...(policies.resourceControlPolicies === undefined
      ? {}
      : { resourceControlPolicies: policies.resourceControlPolicies }),
  };
}
