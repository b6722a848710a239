import type { PolicyPatch } from "@garrison/iam/policy-patch";
import type { ChainSubject } from "./chain-subjects.ts";
import { policyNameOf } from "./explain-simulation.ts";
import { grantStatement } from "./grant-statement.ts";
import type { GrantProbe } from "./grant-probes.ts";

/**
 * The evaluator's patches in the catalogue's words: the check asks about one sample resource, but what is written has to
 * cover all that the grant is for, under the grant's own conditions.
 */
export function patchesForGrant(
  wanted: { readonly subject: ChainSubject; readonly probe: GrantProbe; readonly action: string },
  patches: readonly PolicyPatch[],
): readonly PolicyPatch[] {
  const granted = grantPatch(wanted);
  if (granted === undefined) return patches;
  return patches.map((patch) => {
    if (patch.layer === "identity" && patch.statement.Effect === "Allow") return granted;
    if (patch.change !== "add" || patch.statement.Resource === "*") return patch;
    return { ...patch, statement: { ...patch.statement, Resource: granted.statement.Resource ?? "*" } };
  });
}

/** The grant's statement for one action, as `roles export` would write it; undefined when the values name no resource. */
export function grantPatch({
  subject,
  probe,
  action,
}: {
  readonly subject: ChainSubject;
  readonly probe: GrantProbe;
  readonly action: string;
}): PolicyPatch | undefined {
  const statement = grantStatement(probe.grant, subject.values);
  if (statement === undefined) return undefined;
  return {
    layer: "identity",
    policy: policyNameOf(probe.operation),
    accountId: subject.accountId,
    change: "add",
    statement: { ...statement, Action: [action] },
  };
}
