import { evaluate } from "@garrison/iam/evaluate";
import type { EvaluationResult } from "@garrison/iam/evaluation-case";
import { explainAsTree, type ExplanationTree } from "@garrison/iam/explanation-tree";
import type { PolicyPatch } from "@garrison/iam/policy-patch";
import type { ChainSubject } from "./chain-subjects.ts";
import { missingAllow, type Denial } from "./explain-simulation.ts";
import { patchesForGrant } from "./grant-patches.ts";
import type { GrantProbe } from "./grant-probes.ts";
import { probeCase } from "./probe-case.ts";
import type { SeenPolicies } from "./seen-policies.ts";

export interface EvaluatedProbe extends Denial {
  readonly verdict: "allowed" | "denied" | "unknown";
  readonly result: EvaluationResult;
  readonly patches?: readonly PolicyPatch[];
  readonly tree?: ExplanationTree;
}

/** Judges one action on one resource by the policies that could be read. */
export function evaluateProbe(
  known: { readonly subject: ChainSubject; readonly policies: SeenPolicies },
  probe: GrantProbe,
  what: { readonly action: string; readonly resource: string },
): EvaluatedProbe {
  const asked = probeCase(known, probe, what);
  // Where the policy of a key or bucket isn't at hand, only the role's own side is judged, as the simulator does.
  const options = { scope: asked.resourcePolicy === undefined ? "identity-side" : "everything" } as const;
  const result = evaluate(asked, options);
  const { decision } = result;
  if (decision === "Allowed") return { verdict: "allowed", sentence: "", result };
  const tree = explainAsTree(asked, options);
  const patches = patchesForGrant({ subject: known.subject, probe, action: what.action }, tree.patches);
  const layer = tree.layer ?? result.blockedBy[0] ?? "identity";
  if (decision === "ImplicitlyDenied" && layer === "identity" && tree.statement === undefined) {
    return { ...missingAllow(known.subject, probe, what), verdict: "denied", result, patches, tree };
  }
  const from = tree.statement;
  const attachedTo = from?.orgIdentifier ?? closedLevelOf(result, layer);
  const accountId = from?.accountId ?? known.subject.accountId;
  const statement = {
    layer,
    policy: from?.policy ?? silentPolicies(known.policies, layer),
    ...(from?.sid === undefined ? {} : { sid: from.sid }),
    ...(from === undefined ? {} : { statementIndex: from.index }),
    accountId,
    ...(attachedTo === undefined ? {} : { attachedTo }),
  };
  const verdict = decision === "Unknown" ? "unknown" : "denied";
  const sentence = `${tree.sentence.replace(/\.$/, "")}; it is needed to ${probe.grant.step}.`;
  return { verdict, sentence, statement, result, patches, tree };
}

function closedLevelOf(result: EvaluationResult, layer: string): string | undefined {
  return result.layers.find((each) => each.layer === layer)?.closedLevels?.[0];
}

/** Where nothing denies and yet nothing allows: the policies in which the allow is missing. */
function silentPolicies(policies: SeenPolicies, layer: string): string {
  const silent = layer === "boundary" ? (policies.permissionBoundaries ?? []) : [];
  const names = silent.flatMap(({ name }) => name ?? []);
  return names.length > 0 ? names.join(", ") : layer;
}
