import type { IamInstanceProfileSpecification } from "@aws-sdk/client-ec2";
import type { Lab } from "../../../lab.ts";
import { nameKey, type InstanceProfile, type Role } from "../../../identity/identity-tables.ts";
import type { Authorization, Call } from "../../../wire/operation-handler.ts";
import { invalidParameter } from "../shared/ec2-errors.ts";
import { ec2Arn } from "../shared/resource-access.ts";

export interface ChosenProfile {
  readonly profile: InstanceProfile;
  readonly role: Role;
}

/**
 * The profile that a launch names. One that IAM made a moment ago isn't known yet when the lab delays IAM changes, and
 * the answer is then the one AWS gives for a profile that doesn't exist.
 */
export function findInstanceProfile(call: Call, wanted: IamInstanceProfileSpecification): ChosenProfile {
  const [parameter, value] =
    wanted.Arn === undefined ? (["name", wanted.Name ?? ""] as const) : (["arn", wanted.Arn] as const);
  const kind = parameter === "arn" ? "ARN" : "name";
  const unknown = (reason: string): Error =>
    invalidParameter(`Value (${value}) for parameter iamInstanceProfile.${parameter} is invalid. ${reason}`);
  const { lab, accountId } = call;
  const profile = lab.effectiveIdentity.instanceProfiles.get(
    nameKey(accountId, value.split("/").at(-1) ?? ""),
  );
  if (profile === undefined || (wanted.Arn !== undefined && profile.arn !== wanted.Arn)) {
    throw unknown(`Invalid IAM Instance Profile ${kind}`);
  }
  const role = profileRole(lab, profile);
  if (role === undefined) throw unknown(`IAM Instance Profile "${profile.arn}" has no associated IAM Roles`);
  return { profile, role };
}

export function profileRole(lab: Lab, profile: InstanceProfile): Role | undefined {
  return profile.roleName === undefined
    ? undefined
    : lab.identity.roles.get(nameKey(profile.accountId, profile.roleName));
}

/** The right to give the role to EC2. It is checked as part of the launch, there is no call of that name. */
export function passRole(call: Call, { role }: ChosenProfile): Authorization {
  return {
    action: "iam:PassRole",
    resources: [{ arn: role.arn, accountId: role.accountId, tags: role.tags }],
    context: {
      "iam:PassedToService": "ec2.amazonaws.com",
      "iam:AssociatedResourceArn": ec2Arn(call, { accountId: call.accountId, path: "instance/*" }),
    },
  };
}
