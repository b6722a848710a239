import { GarrisonError } from "@garrison/core/garrison-error";
import { parseRoleArn } from "../role-arn.ts";
import type { RoleChange } from "../role-change.ts";
import type { HeldProfile, HeldRole } from "./held-role.ts";

/** A managed policy of a name that `roles create` gives. */
export interface HeldManagedPolicy {
  readonly document: object;
  readonly versionId: string;
  readonly versions: number;
  /** It carries the tag that Garrison gives its own. */
  readonly isOurs: boolean;
  /** How many users, roles and groups have it, as policy or boundary. */
  readonly uses: number;
}

/** Everything that a plan for a role starts from, and that has to be the same when it is carried out. */
export interface RoleBefore {
  readonly roleArn: string;
  /** Absent: there is no such role. */
  readonly held?: HeldRole;
  /** As of the role; where there is none, the profile of its name. */
  readonly profiles: readonly HeldProfile[];
  /** By name. */
  readonly managed: Readonly<Record<string, HeldManagedPolicy>>;
}

/** The tag by which Garrison knows its own managed policies: the name of the role that they are for. */
export const ownerTag = "garrison:role";

/** Managed policies of `roles create` are called as their role, with a number. */
export function isManagedName(roleName: string, name: string): boolean {
  return name.startsWith(`${roleName}-`) && /^\d{1,2}$/.test(name.slice(roleName.length + 1));
}

export function managedPolicyArn(roleArn: string, name: string): string {
  const { accountId, partition } = parseRoleArn(roleArn);
  return `arn:${partition}:iam::${accountId}:policy/${name}`;
}

export function isAttached({ held, roleArn }: RoleBefore, name: string): boolean {
  const arn = managedPolicyArn(roleArn, name);
  return held?.attachedPolicies.some((one) => one.arn === arn) === true;
}

/** The managed policies that changes are about: those that aren't there yet have to be looked for, too. */
export function managedNamesOf(changes: readonly RoleChange[]): readonly string[] {
  return changes.flatMap(({ name, what }) => (what.endsWith("managed policy") ? [name] : []));
}

/** Throws `role-missing`. */
export function requireHeld({ held, roleArn }: RoleBefore): HeldRole {
  if (held !== undefined) return held;
  throw new GarrisonError("role-missing", `there is no role ${roleArn} in the account of these credentials`);
}
