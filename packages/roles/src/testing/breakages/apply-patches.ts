import { patchDocument, patchSet, type PolicyPatch } from "@garrison/iam/policy-patch";
import type { ChainReport, LinkFinding } from "../../chain-report.ts";
import { principalArnOf } from "../../role-arn.ts";
import { policyHolderOf } from "../../seen-policies.ts";
import type { MemoryWorld } from "../memory-world.ts";

/** Does what the owners of the policies would do with the patches that the report prints for what failed. */
export function applyPatches(world: MemoryWorld, { findings }: ChainReport): void {
  const done = new Set<string>();
  for (const finding of findings.filter(({ verdict }) => verdict === "failed")) {
    for (const patch of finding.patches ?? []) {
      const key = JSON.stringify([roleOf(world, finding, patch), patch]);
      if (!done.has(key)) applyPatch(world, finding, patch);
      done.add(key);
    }
  }
}

function applyPatch(world: MemoryWorld, finding: LinkFinding, patch: PolicyPatch): void {
  const role = world.roles.get(roleOf(world, finding, patch));
  switch (patch.layer) {
    case "identity":
      if (role !== undefined) role.identityPolicies = [...patchSet(role.identityPolicies, patch)];
      return;
    case "boundary":
      if (role !== undefined) {
        role.permissionBoundaries = [...patchSet(role.permissionBoundaries ?? [], patch)];
      }
      return;
    case "resource":
      if (patch.policy === "trust policy") {
        if (role !== undefined) role.trust = patchDocument(role.trust, patch);
        return;
      }
      patchResource(world, policyHolderOf(finding.resource ?? ""), patch);
      return;
    case "scp":
      return patchLevels(world.serviceControlPolicies, roleOf(world, finding, patch), patch);
    case "rcp":
      return patchLevels(world.resourceControlPolicies, finding.subject, patch);
    case "vpc-endpoint":
      return patchEndpoints(world, patch);
    case "session":
  }
}

/** Whose policies a patch is for: of link 1 the appliance's own, except for the trust. */
function roleOf({ caller }: MemoryWorld, { link, subject }: LinkFinding, patch: PolicyPatch): string {
  const isCallerSide = link === "assume-role" && patch.layer !== "resource" && patch.layer !== "rcp";
  return isCallerSide ? principalArnOf(caller) : subject;
}

function patchResource({ resourcePolicies }: MemoryWorld, arn: string, patch: PolicyPatch): void {
  resourcePolicies.set(arn, patchDocument(resourcePolicies.get(arn) ?? { Statement: [] }, patch));
}

function patchLevels(
  levels: MemoryWorld["serviceControlPolicies"],
  roleArn: string,
  patch: PolicyPatch,
): void {
  const account = roleArn.split(":")[4] ?? "";
  const patched = (levels.get(account) ?? []).map((level) =>
    level.orgIdentifier === patch.orgIdentifier
      ? { ...level, policies: patchSet(level.policies, patch) }
      : level,
  );
  levels.set(account, patched);
}

function patchEndpoints({ endpointPolicies }: MemoryWorld, patch: PolicyPatch): void {
  for (const [subnet, policies] of endpointPolicies) {
    const patched = Object.entries(policies).map(([service, named]) =>
      named.name === patch.policy
        ? [service, { ...named, policy: patchDocument(named.policy, patch) }]
        : [service, named],
    );
    endpointPolicies.set(subnet, Object.fromEntries(patched));
  }
}
