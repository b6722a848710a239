import type { PolicyPatch } from "./policy-patch.ts";

const words: Readonly<Record<PolicyPatch["layer"], string>> = {
  identity: "IAM policy",
  boundary: "permissions boundary",
  session: "session policy",
  resource: "resource policy",
  scp: "service control policy (SCP)",
  rcp: "resource control policy (RCP)",
  "vpc-endpoint": "VPC endpoint policy",
};

/** "replace the statement "NoS3" of the service control policy (SCP) "Guard" attached to ou-1 by {...}". */
export function describePatch(patch: PolicyPatch): string {
  const { accountId, change, index = 0, orgIdentifier, policy, sid } = patch;
  const word = words[patch.layer];
  const name = policy === undefined ? `a new ${word}` : `the ${word} ${JSON.stringify(policy)}`;
  const attached = orgIdentifier === undefined ? "" : ` attached to ${orgIdentifier}`;
  const place = `${name}${attached}${accountId === undefined ? "" : ` in account ${accountId}`}`;
  const statement = JSON.stringify(patch.statement);
  if (change === "add") return `add to ${place}: ${statement}`;
  const replaced = sid === undefined ? `statement ${index + 1}` : `the statement ${JSON.stringify(sid)}`;
  if (change === "remove") return `take ${replaced} out of ${place}: ${statement}`;
  return `replace ${replaced} of ${place} by ${statement}`;
}
