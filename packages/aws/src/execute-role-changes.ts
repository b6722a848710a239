import { isDeepStrictEqual } from "node:util";
import type { IAMClient } from "@aws-sdk/client-iam";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Call } from "@garrison/roles/prober";
import { managedNamesOf, type RoleBefore } from "@garrison/roles/repair/role-before";
import type { RoleChange } from "@garrison/roles/role-change";
import { applyRoleChange } from "./apply-role-change.ts";
import { readRoleBefore } from "./read-role-before.ts";
import { translateAwsError } from "./translate-aws-error.ts";

export interface RoleChanges {
  /** The role as it was when the difference was shown. */
  readonly expected: RoleBefore;
  readonly changes: readonly RoleChange[];
  /** Makes a note of what is about to be changed; nothing is changed before it has come back. */
  readonly record: () => Promise<void>;
}

/**
 * Reads the role once more, stops if anything is no longer as it was shown, and makes the changes one by one. One that
 * fails leaves the earlier ones in place: what is done is in the record, and the same command, repeated, does the rest.
 */
export async function executeRoleChanges(
  iam: IAMClient,
  { changes, expected, record }: RoleChanges,
  call: Call,
): Promise<void> {
  const { managed, roleArn } = expected;
  const managedNames = [...Object.keys(managed), ...managedNamesOf(changes)];
  requireUnchanged(expected, await readRoleBefore(iam, { roleArn, managedNames }, call));
  await record();
  let done = 0;
  for (const change of changes) {
    try {
      await applyRoleChange(iam, { roleArn, change }, call);
      done += 1;
    } catch (error) {
      const failed = translateAwsError(error, `${change.what} of ${roleArn}: ${change.name}`);
      if (done === 0) throw failed;
      throw new GarrisonError(
        "repair-interrupted",
        `${done} of ${changes.length} changes of ${roleArn} were made`,
        {
          cause: failed,
          details: { done: changes.slice(0, done), left: changes.slice(done) },
        },
      );
    }
  }
}

function requireUnchanged(expected: RoleBefore, now: RoleBefore): void {
  const changed = [...changedParts(expected, now)];
  if (changed.length === 0) return;
  const what = changed.join(", ");
  throw new GarrisonError("role-changed", `${now.roleArn} changed since the difference was shown: ${what}`);
}

function changedParts(expected: RoleBefore, now: RoleBefore): readonly string[] {
  if ((expected.held === undefined) !== (now.held === undefined))
    return [now.held === undefined ? "it is gone" : "it was made meanwhile"];
  const words = {
    trust: "its trust policy",
    inlinePolicies: "its inline policies",
    attachedPolicies: "its attached policies",
    boundary: "its permissions boundary",
  } as const;
  const parts = Object.keys(words) as readonly (keyof typeof words)[];
  return [
    ...parts
      .filter((part) => !isDeepStrictEqual(expected.held?.[part], now.held?.[part]))
      .map((part) => words[part]),
    ...(isDeepStrictEqual(expected.profiles, now.profiles) ? [] : ["its instance profile"]),
    ...(isDeepStrictEqual(expected.managed, now.managed) ? [] : ["its managed policies"]),
  ];
}
