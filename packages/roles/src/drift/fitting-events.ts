import { parseRoleArn } from "../role-arn.ts";
import type { DriftChange } from "./compare-roles.ts";
import type { TrailEvent } from "./trail-event.ts";

/** By the first words of a changed part: the calls that change it. */
const callsByPart: Readonly<Record<string, readonly string[]>> = {
  "trust policy": ["UpdateAssumeRolePolicy"],
  "inline policy": ["PutRolePolicy", "DeleteRolePolicy"],
  "attached policy": ["AttachRolePolicy", "DetachRolePolicy"],
  "permissions boundary": ["PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"],
  "instance profiles": ["AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"],
};

/** What was a role before may be another one of the same name. */
const anyPart = ["CreateRole", "DeleteRole"];

/** Of a managed policy that stays where it is. */
const documentCalls = ["CreatePolicyVersion", "SetDefaultPolicyVersion", "CreatePolicy", "DeletePolicy"];

/** The names that an event has to be about: the role's, and those of the managed policies whose documents differ. */
export function namesToLookUp(roleArn: string, changes: readonly DriftChange[]): readonly string[] {
  return [parseRoleArn(roleArn).roleName, ...changedPolicies(changes)];
}

/** The calls that can have made these changes, oldest first. */
export function fittingEvents(
  roleArn: string,
  changes: readonly DriftChange[],
  events: readonly TrailEvent[],
): readonly TrailEvent[] {
  const { roleName } = parseRoleArn(roleArn);
  const policies = changedPolicies(changes);
  const fits = (event: TrailEvent): boolean => {
    if (event.hasFailed) return false;
    if (event.roleName === roleName)
      return anyPart.includes(event.name) || changes.some(({ part }) => changesPart(event, part));
    const { policyArn } = event;
    return policyArn !== undefined && policies.includes(policyArn) && documentCalls.includes(event.name);
  };
  const byId = new Map(events.filter(fits).map((event) => [event.id, event]));
  return [...byId.values()].sort((first, second) => first.atMs - second.atMs);
}

/** Of policies, only the one that the part names. */
function changesPart({ name, policyArn, policyName }: TrailEvent, part: string): boolean {
  const kind = Object.keys(callsByPart).find((one) => part.startsWith(one));
  if (kind === undefined || callsByPart[kind]?.includes(name) !== true) return false;
  const named = kind === "inline policy" ? policyName : kind === "attached policy" ? policyArn : undefined;
  return named === undefined || part === `${kind} ${named}`;
}

/** Those that were read before and after, and say something else. */
function changedPolicies(changes: readonly DriftChange[]): readonly string[] {
  const arns = changes.flatMap(({ after, before, part }) => {
    if (before === undefined || after === undefined) return [];
    if (part.startsWith("attached policy ")) return [part.slice("attached policy ".length)];
    return part === "permissions boundary" ? [arnOf(before), arnOf(after)] : [];
  });
  return [...new Set(arns.filter((arn) => arn !== ""))];
}

function arnOf(policy: object): string {
  return (policy as { readonly arn?: string }).arn ?? "";
}
