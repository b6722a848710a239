import { isDeepStrictEqual } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";
import { parseRoleArn } from "../role-arn.ts";
import type { RoleChange } from "../role-change.ts";
import { withoutDeleted } from "./deleted-principals.ts";
import type { HeldRole } from "./held-role.ts";
import { isAttached, managedPolicyArn, type RoleBefore } from "./role-before.ts";

/** What was noted before the first change of a role: enough to take each change back, also when it ended half-way. */
export interface UndoRecord {
  readonly format: "garrison-role-undo/1";
  readonly roleArn: string;
  /** UTC, ISO 8601. */
  readonly plannedAt: string;
  /** `null`: there was no such role. */
  readonly before: HeldRole | null;
  readonly changes: readonly RoleChange[];
}

/** Where one change left its mark: the part of the role that it touched. */
interface Part {
  readonly change: RoleChange;
  readonly state: "as before" | "as repaired" | "changed since";
}

/**
 * The changes that put the role back, in the order to make them; what was never done, or is undone already, is left out.
 * A role that somebody has changed since is refused, unless `force` puts it back over that. A role that was made goes
 * again, unless it has got what isn't from here: then `force` takes back the rest and leaves it.
 */
export function planUndo(
  record: UndoRecord,
  now: RoleBefore,
  options: { readonly force: boolean },
): readonly RoleChange[] {
  const parts = record.changes.map((change) => ({ change, state: stateOf(change, record, now) }));
  const others = now.held === undefined ? [] : othersChanged(record, now, now.held);
  if (!options.force) refuseChanged(record, [...namesOf(parts, "changed since"), ...others]);
  const stays = record.before === null && others.length > 0;
  return parts
    .filter(({ change, state }) => state !== "as before" && !(stays && change.what === "create the role"))
    .flatMap(({ change }) => inverseOf(change, now) ?? [])
    .reverse();
}

function namesOf(parts: readonly Part[], state: Part["state"]): readonly string[] {
  return parts.filter((part) => part.state === state).map(({ change }) => partName(change));
}

function refuseChanged({ plannedAt, roleArn }: UndoRecord, names: readonly string[]): void {
  const changed = [...new Set(names)];
  if (changed.length === 0) return;
  throw new GarrisonError(
    "role-changed-since-repair",
    `${roleArn} is no longer as it was left: ${changed.join(", ")} changed since ${plannedAt}`,
    { details: { changed } },
  );
}

function stateOf(change: RoleChange, { before }: UndoRecord, now: RoleBefore): Part["state"] {
  const { after, before: replaced, name, what } = change;
  const { held, managed } = now;
  const { roleName } = parseRoleArn(now.roleArn);
  const profile = now.profiles.find((one) => one.name === name);
  switch (what) {
    case "create the role":
      return either(isDeepStrictEqual(held?.trust, after), held === undefined);
    case "replace the trust policy":
      return either(
        isDeepStrictEqual(held?.trust, after),
        isDeepStrictEqual(held?.trust, before?.trust) ||
          isDeepStrictEqual(held?.trust, withoutDeleted(before?.trust ?? {})),
      );
    case "write the inline policy":
    case "delete the inline policy": {
      const present = held?.inlinePolicies[name];
      return either(isDeepStrictEqual(present, after), isDeepStrictEqual(present, replaced));
    }
    case "create the managed policy":
      if (isShared(now, name)) return "changed since";
      return either(isDeepStrictEqual(managed[name]?.document, after), managed[name] === undefined);
    case "change the managed policy": {
      const present = managed[name]?.document;
      return either(isDeepStrictEqual(present, after), isDeepStrictEqual(present, replaced));
    }
    case "attach the managed policy":
      return either(isAttached(now, name), !isAttached(now, name));
    case "detach the managed policy":
      return either(!isAttached(now, name), isAttached(now, name));
    case "create the instance profile":
      return either(profile !== undefined, profile === undefined);
    default: {
      const isIn = profile?.roleNames.includes(roleName) === true;
      return either(isIn, !isIn && (profile?.roleNames.length ?? 0) === 0);
    }
  }
}

/** Others have got it, or it has got versions since: IAM would not delete it. */
function isShared(now: RoleBefore, name: string): boolean {
  const { uses = 0, versions = 0 } = now.managed[name] ?? {};
  return uses > (isAttached(now, name) ? 1 : 0) || versions > 1;
}

function either(isRepaired: boolean, isBefore: boolean): Part["state"] {
  return isRepaired ? "as repaired" : isBefore ? "as before" : "changed since";
}

/** What was never touched has to be as it was, or putting the rest back gives a role that never was. */
function othersChanged(record: UndoRecord, now: RoleBefore, held: HeldRole): readonly string[] {
  const { before, changes } = record;
  const isTouched = (kind: string, name: string) =>
    changes.some((change) => change.what.endsWith(kind) && change.name === name);
  const { roleName } = parseRoleArn(now.roleArn);
  const inline = differingKeys(before?.inlinePolicies ?? {}, held.inlinePolicies).filter(
    (name) => !isTouched("inline policy", name),
  );
  const documentsOf = (role: HeldRole | null) =>
    Object.fromEntries((role?.attachedPolicies ?? []).map(({ arn, document }) => [arn, document]));
  const ours = new Set(changes.map(({ name }) => managedPolicyArn(now.roleArn, name)));
  const attached = differingKeys(documentsOf(before), documentsOf(held)).filter((arn) => !ours.has(arn));
  const isTrustChanged =
    before !== null &&
    !isTouched("the trust policy", roleName) &&
    !isDeepStrictEqual(before.trust, held.trust);
  const holding = now.profiles.filter(({ roleNames }) => roleNames.includes(roleName));
  const isMore = before === null && holding.some(({ name }) => !isTouched("instance profile", name));
  return [
    ...(isTrustChanged ? ["the trust policy"] : []),
    ...inline.map((name) => `the inline policy ${name}`),
    ...(attached.length > 0 || !isDeepStrictEqual(before?.boundary, held.boundary)
      ? ["the attached policies or the boundary"]
      : []),
    ...(isMore ? ["its instance profiles"] : []),
  ];
}

function differingKeys(
  before: Readonly<Record<string, object>>,
  now: Readonly<Record<string, object>>,
): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => !isDeepStrictEqual(before[name], now[name]));
}

function partName({ name, what }: RoleChange): string {
  if (what === "replace the trust policy" || what === "create the role") return "the trust policy";
  const kind = ["instance profile", "inline policy"].find((one) => what.endsWith(one)) ?? "managed policy";
  return `the ${kind} ${name}`;
}

function inverseOf(change: RoleChange, now: RoleBefore): RoleChange | undefined {
  const { before, name, versionId, what } = change;
  const { held, managed } = now;
  switch (what) {
    case "create the role":
      return { what: "delete the role", name, ...given("before", held?.trust) };
    case "replace the trust policy":
      return { what, name, ...given("before", held?.trust), after: withoutDeleted(before ?? {}) };
    case "write the inline policy":
    case "delete the inline policy": {
      const present = held?.inlinePolicies[name];
      if (before !== undefined)
        return { what: "write the inline policy", name, ...given("before", present), after: before };
      return present === undefined ? undefined : { what: "delete the inline policy", name, before: present };
    }
    case "create the managed policy":
      // By force, too: what others have stays in the account.
      if (isShared(now, name)) return undefined;
      return { what: "delete the managed policy", name, ...given("before", managed[name]?.document) };
    case "change the managed policy":
      return {
        what: "put back the managed policy",
        name,
        ...given("before", managed[name]?.document),
        ...given("after", before),
        ...given("versionId", versionId),
      };
    case "attach the managed policy":
      return { what: "detach the managed policy", name };
    case "detach the managed policy":
      return { what: "attach the managed policy", name };
    case "create the instance profile":
      return { what: "delete the instance profile", name };
    case "put the role into the instance profile":
      return { what: "take the role out of the instance profile", name };
    default:
      throw new GarrisonError("undo-file-invalid", `this is never done: ${what}`);
  }
}

function given<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [Name in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [Name in Key]?: Value };
}
