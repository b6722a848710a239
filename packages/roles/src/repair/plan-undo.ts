import { isDeepStrictEqual } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { RoleChange } from "../plan-role.ts";
import { parseRoleArn } from "../role-arn.ts";
import type { HeldRole } from "./held-role.ts";

/** What a repair noted before its first change: enough to take each change back, also when it ended half-way. */
export interface UndoRecord {
  readonly format: "garrison-role-undo/1";
  readonly roleArn: string;
  /** UTC, ISO 8601. */
  readonly plannedAt: string;
  readonly before: HeldRole;
  readonly changes: readonly RoleChange[];
}

/** Where one change left its mark: the part of the role that it touched. */
interface Part {
  readonly change: RoleChange;
  readonly state: "as before" | "as repaired" | "changed since";
}

/**
 * The changes that put the role back, in the order to make them; what was never done, or is undone already, is left out.
 * A role that somebody has changed since is refused, unless `force` puts it back over that.
 */
export function planUndo(
  record: UndoRecord,
  held: HeldRole,
  options: { readonly force: boolean },
): readonly RoleChange[] {
  const parts = record.changes.map((change) => ({ change, state: stateOf(change, record.before, held) }));
  if (!options.force) refuseChanged(record, held, parts);
  return parts
    .filter(({ state }) => state !== "as before")
    .flatMap(({ change }) => inverseOf(change, held) ?? [])
    .reverse();
}

function refuseChanged(record: UndoRecord, held: HeldRole, parts: readonly Part[]): void {
  const touched = parts
    .filter(({ state }) => state === "changed since")
    .map(({ change }) => partName(change));
  const changed = [...new Set([...touched, ...othersChanged(record, held)])];
  if (changed.length === 0) return;
  throw new GarrisonError(
    "role-changed-since-repair",
    `${record.roleArn} is no longer as the repair left it: ${changed.join(", ")} changed since ${record.plannedAt}`,
    { details: { changed } },
  );
}

function stateOf(change: RoleChange, before: HeldRole, held: HeldRole): Part["state"] {
  const { roleName } = parseRoleArn(held.roleArn);
  const profile = held.instanceProfiles.find(({ name }) => name === change.name);
  const either = (isRepaired: boolean, isBefore: boolean): Part["state"] =>
    isRepaired ? "as repaired" : isBefore ? "as before" : "changed since";
  switch (change.what) {
    case "replace the trust policy":
      return either(isDeepStrictEqual(held.trust, change.after), isDeepStrictEqual(held.trust, before.trust));
    case "write the inline policy":
    case "delete the inline policy": {
      const now = held.inlinePolicies[change.name];
      return either(isDeepStrictEqual(now, change.after), isDeepStrictEqual(now, change.before));
    }
    case "create the instance profile":
      return either(profile !== undefined, profile === undefined);
    default: {
      const isIn = profile?.roleNames.includes(roleName) === true;
      return either(isIn, !isIn && (profile?.roleNames.length ?? 0) === 0);
    }
  }
}

/** What the repair never touched has to be as it was, or putting the rest back gives a role that never was. */
function othersChanged({ before, changes }: UndoRecord, held: HeldRole): readonly string[] {
  const isTouched = (what: RoleChange["what"], name?: string) =>
    changes.some((change) => change.what === what && (name === undefined || change.name === name));
  const names = new Set([...Object.keys(before.inlinePolicies), ...Object.keys(held.inlinePolicies)]);
  const policies = [...names].filter(
    (name) =>
      !isTouched("write the inline policy", name) &&
      !isTouched("delete the inline policy", name) &&
      !isDeepStrictEqual(before.inlinePolicies[name], held.inlinePolicies[name]),
  );
  const isTrustChanged =
    !isTouched("replace the trust policy") && !isDeepStrictEqual(before.trust, held.trust);
  const isAttachedChanged =
    !isDeepStrictEqual(before.attachedPolicies, held.attachedPolicies) ||
    !isDeepStrictEqual(before.boundary, held.boundary);
  return [
    ...(isTrustChanged ? ["the trust policy"] : []),
    ...policies.map((name) => `the inline policy ${name}`),
    ...(isAttachedChanged ? ["the attached policies or the boundary"] : []),
  ];
}

function partName({ name, what }: RoleChange): string {
  if (what === "replace the trust policy") return "the trust policy";
  return what.includes("instance profile") ? `the instance profile ${name}` : `the inline policy ${name}`;
}

function inverseOf(change: RoleChange, held: HeldRole): RoleChange | undefined {
  const { name } = change;
  switch (change.what) {
    case "replace the trust policy":
      return { what: "replace the trust policy", name, before: held.trust, ...afterOf(change.before) };
    case "write the inline policy":
    case "delete the inline policy": {
      const now = held.inlinePolicies[name];
      if (change.before !== undefined)
        return { what: "write the inline policy", name, ...beforeOf(now), after: change.before };
      return now === undefined ? undefined : { what: "delete the inline policy", name, before: now };
    }
    case "create the instance profile":
      return { what: "delete the instance profile", name };
    case "put the role into the instance profile":
      return { what: "take the role out of the instance profile", name };
    default:
      throw new GarrisonError("undo-file-invalid", `a repair never does this: ${change.what}`);
  }
}

function afterOf(after: object | undefined) {
  return after === undefined ? {} : { after };
}

function beforeOf(before: object | undefined) {
  return before === undefined ? {} : { before };
}
