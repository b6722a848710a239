import { withoutDeleted } from "../repair/deleted-principals.ts";
import type { HeldRole } from "../repair/held-role.ts";
import type { OwnerPatch } from "../repair/repair-plan.ts";
import type { RoleBefore } from "../repair/role-before.ts";
import { parseRoleArn } from "../role-arn.ts";
import type { MemoryRole, MemoryWorld } from "./memory-world.ts";

/** A role of the memory world as a repair reads it. Policies named by ARN are attached, others inline. */
export function heldInMemory({
  arn,
  identityPolicies,
  permissionBoundaries,
  profiles,
  trust,
}: MemoryRole): HeldRole {
  const { roleName } = parseRoleArn(arn);
  const named = identityPolicies.map(({ name, policy }) => [name ?? "", policy] as const);
  const [boundary] = permissionBoundaries ?? [];
  return {
    roleArn: arn,
    trust,
    inlinePolicies: Object.fromEntries(named.filter(([name]) => !name.startsWith("arn:"))),
    attachedPolicies: named
      .filter(([name]) => name.startsWith("arn:"))
      .map(([name, document]) => ({ arn: name, document })),
    ...(boundary === undefined ? {} : { boundary: { arn: boundary.name ?? "", document: boundary.policy } }),
    instanceProfiles: profiles.map((name) => ({ name, roleNames: [roleName] })),
  };
}

/** What a plan starts from where there is a role, and no managed policy of ours. */
export function beforeOf(held: HeldRole): RoleBefore {
  return { roleArn: held.roleArn, held, profiles: held.instanceProfiles, managed: {} };
}

/** As an undo leaves it: IAM stores no trust that names deleted users or roles. */
export function restored(held: HeldRole): HeldRole {
  return { ...held, trust: withoutDeleted(held.trust) };
}

/** Writes what a repair or an undo came to back into the world. */
export function holdInMemory(role: MemoryRole, held: HeldRole): void {
  const { roleName } = parseRoleArn(role.arn);
  role.trust = held.trust;
  role.identityPolicies = [
    ...Object.entries(held.inlinePolicies).map(([name, policy]) => ({ name, policy })),
    ...held.attachedPolicies.map(({ arn, document }) => ({ name: arn, policy: document })),
  ];
  role.profiles = held.instanceProfiles
    .filter(({ roleNames }) => roleNames.includes(roleName))
    .map(({ name }) => name);
}

/** Does what the patch says, as the owner of that document. */
export function applyOwnerPatch(world: MemoryWorld, role: MemoryRole, patch: OwnerPatch): void {
  const { after, layer, policy: name } = patch;
  const changed = after === undefined ? [] : [{ name, policy: after }];
  switch (layer) {
    case "identity":
      role.identityPolicies = [...role.identityPolicies.filter((one) => one.name !== name), ...changed];
      return;
    case "boundary":
      role.permissionBoundaries = changed;
      return;
    case "scp":
      patchLevel(world.serviceControlPolicies, role, patch);
      return;
    case "rcp":
      patchLevel(world.resourceControlPolicies, role, patch);
      return;
    case "resource":
      if (after !== undefined) world.resourcePolicies.set(name, after);
      return;
    case "vpc-endpoint":
      patchEndpoints(world, patch);
      return;
    default:
      throw new RangeError(`the memory world has no ${layer}`);
  }
}

function patchLevel(
  levels: MemoryWorld["serviceControlPolicies"],
  role: MemoryRole,
  { after, attachedTo, policy: name }: OwnerPatch,
): void {
  const { accountId } = parseRoleArn(role.arn);
  const changed = after === undefined ? [] : [{ name, policy: after }];
  const patched = (levels.get(accountId) ?? []).map((level) =>
    level.orgIdentifier === attachedTo
      ? { ...level, policies: [...level.policies.filter((one) => one.name !== name), ...changed] }
      : level,
  );
  levels.set(accountId, patched);
}

function patchEndpoints({ endpointPolicies }: MemoryWorld, { after, policy: name }: OwnerPatch): void {
  for (const [subnet, policies] of endpointPolicies) {
    const patched = Object.entries(policies).map(([service, named]) =>
      named.name === name && after !== undefined ? [service, { ...named, policy: after }] : [service, named],
    );
    endpointPolicies.set(subnet, Object.fromEntries(patched));
  }
}
