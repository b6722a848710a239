import { isDeepStrictEqual } from "node:util";
import type { IAMClient } from "@aws-sdk/client-iam";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { RoleChange } from "@garrison/roles/plan-role";
import type { Call } from "@garrison/roles/prober";
import type { HeldRole } from "@garrison/roles/repair/held-role";
import { parseRoleArn } from "@garrison/roles/role-arn";
import { applyRoleChange } from "./apply-role-change.ts";
import { readHeldRole } from "./read-held-role.ts";
import { translateAwsError } from "./translate-aws-error.ts";

export interface RoleChanges {
  /** The role as it was when the difference was shown. */
  readonly expected: HeldRole;
  readonly changes: readonly RoleChange[];
  /** Makes a note of what is about to be changed; nothing is changed before it has come back. */
  readonly record: () => Promise<void>;
}

/**
 * Reads the role once more, stops if anything is no longer as it was shown, and makes the changes one by one. One that
 * fails leaves the earlier ones in place: what is done is in the record, and the same repair, repeated, does the rest.
 */
export async function executeRoleChanges(
  iam: IAMClient,
  { changes, expected, record }: RoleChanges,
  call: Call,
): Promise<void> {
  const { roleArn } = expected;
  requireUnchanged(expected, await readHeldRole(iam, roleArn, call));
  await record();
  const RoleName = parseRoleArn(roleArn).roleName;
  let done = 0;
  for (const change of changes) {
    try {
      await applyRoleChange(iam, { RoleName, change }, call);
      done += 1;
    } catch (error) {
      const named = translateAwsError(error, `${change.what} of ${roleArn}: ${change.name}`);
      if (done === 0) throw named;
      throw new GarrisonError(
        "repair-interrupted",
        `${done} of ${changes.length} changes of ${roleArn} were made`,
        {
          cause: named,
          details: { done: changes.slice(0, done), left: changes.slice(done) },
        },
      );
    }
  }
}

function requireUnchanged(expected: HeldRole, now: HeldRole): void {
  const parts = ["trust", "inlinePolicies", "attachedPolicies", "boundary", "instanceProfiles"] as const;
  const changed = parts.filter((part) => !isDeepStrictEqual(expected[part], now[part]));
  if (changed.length === 0) return;
  const words = {
    trust: "its trust policy",
    inlinePolicies: "its inline policies",
    attachedPolicies: "its attached policies",
    boundary: "its permissions boundary",
    instanceProfiles: "its instance profile",
  };
  const what = changed.map((part) => words[part]).join(", ");
  throw new GarrisonError("role-changed", `${now.roleArn} changed since the difference was shown: ${what}`);
}
