import { parseRoleArn } from "../role-arn.ts";
import type { RoleChange } from "../role-change.ts";
import type { HeldRole } from "./held-role.ts";

/** The role as it will be after the changes: what a check foresees, and what an undo looks for. */
export function applyChanges(held: HeldRole, changes: readonly RoleChange[]): HeldRole {
  return changes.reduce(applyChange, held);
}

function applyChange(held: HeldRole, { after, name, what }: RoleChange): HeldRole {
  const { roleName } = parseRoleArn(held.roleArn);
  switch (what) {
    case "replace the trust policy":
      return { ...held, trust: after ?? {} };
    case "write the inline policy":
      return { ...held, inlinePolicies: { ...held.inlinePolicies, [name]: after ?? {} } };
    case "delete the inline policy": {
      const { [name]: _deleted, ...inlinePolicies } = held.inlinePolicies;
      return { ...held, inlinePolicies };
    }
    case "create the instance profile":
      return { ...held, instanceProfiles: [...held.instanceProfiles, { name, roleNames: [] }] };
    case "put the role into the instance profile":
      return withProfile(held, name, (roleNames) => [...roleNames, roleName]);
    case "take the role out of the instance profile":
      return withProfile(held, name, (roleNames) => roleNames.filter((one) => one !== roleName));
    case "delete the instance profile":
      return { ...held, instanceProfiles: held.instanceProfiles.filter((profile) => profile.name !== name) };
    default:
      throw new RangeError(`a repair never does this: ${what}`);
  }
}

function withProfile(
  held: HeldRole,
  name: string,
  change: (roleNames: readonly string[]) => readonly string[],
): HeldRole {
  const instanceProfiles = held.instanceProfiles.map((profile) =>
    profile.name === name ? { ...profile, roleNames: change(profile.roleNames) } : profile,
  );
  return { ...held, instanceProfiles };
}
