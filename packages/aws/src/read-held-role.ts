import type { IAMClient } from "@aws-sdk/client-iam";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { Call } from "@garrison/roles/prober";
import type { HeldRole } from "@garrison/roles/repair/held-role";
import { parseRoleArn } from "@garrison/roles/role-arn";
import {
  findProfile,
  readAttachedPolicies,
  readInlinePolicies,
  readManagedPolicy,
  readProfilesOf,
  readRoleHead,
} from "./role-parts.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** The whole role as IAM holds it now, with the read rights of an operator. Throws `role-missing`. */
export async function readHeldRole(iam: IAMClient, roleArn: string, call: Call): Promise<HeldRole> {
  const { roleName } = parseRoleArn(roleArn);
  try {
    const head = await readRoleHead(iam, roleName, call);
    if (head.arn !== roleArn) throw foundElsewhere(roleArn, head.arn);
    const own = await findProfile(iam, roleName, call);
    const others = (await readProfilesOf(iam, roleName, call)).filter(({ name }) => name !== roleName);
    return {
      roleArn,
      trust: head.trust,
      inlinePolicies: await readInlinePolicies(iam, roleName, call),
      attachedPolicies: await readAttachedPolicies(iam, roleName, call),
      ...(head.boundaryArn === undefined
        ? {}
        : { boundary: await readManagedPolicy(iam, head.boundaryArn, call) }),
      instanceProfiles: own === undefined ? others : [own, ...others],
    };
  } catch (error) {
    const named = translateAwsError(error, `reading ${roleArn}`);
    if (!isGarrisonError(named, "aws-not-found")) throw named;
    throw new GarrisonError(
      "role-missing",
      `there is no role ${roleArn} in the account of these credentials`,
      {
        cause: named,
      },
    );
  }
}

/** IAM finds roles by name in the caller's own account: a role of that name may be another one. */
function foundElsewhere(roleArn: string, found: string): GarrisonError {
  return new GarrisonError(
    "usage",
    `${roleArn} was asked for, and these credentials find ${found} by that name`,
  );
}
