import type {
  AddRoleToInstanceProfileCommandInput,
  CreateInstanceProfileCommandInput,
  DeleteInstanceProfileCommandInput,
  GetInstanceProfileCommandInput,
  InstanceProfile as ProfileOutput,
  ListInstanceProfilesCommandInput,
  ListInstanceProfilesForRoleCommandInput,
  RemoveRoleFromInstanceProfileCommandInput,
} from "@aws-sdk/client-iam";
import { nameKey, type InstanceProfile } from "../../identity/identity-tables.ts";
import { newUniqueId } from "../../identity/unique-ids.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { authorizedHolder, holderAccess, roleHolder } from "./holders.ts";
import { alreadyExists, deleteConflict, limitExceeded, noSuchEntity } from "./iam-errors.ts";
import { checkName, checkPath } from "./iam-names.ts";
import { pageOf } from "./iam-page.ts";
import { readTags, tagContext, tagList } from "./iam-tags.ts";
import { allOf, describeRole } from "./role-operations.ts";

export function createInstanceProfile(input: CreateInstanceProfileCommandInput, call: Call): object {
  const path = input.Path ?? "/";
  checkName("instanceProfileName", input.InstanceProfileName, 128);
  checkPath(path);
  const instanceProfileName = input.InstanceProfileName!;
  const arn = `arn:${call.partition}:iam::${call.accountId}:instance-profile${path}${instanceProfileName}`;
  const tags = readTags(input.Tags);
  call.authorize({
    action: "iam:CreateInstanceProfile",
    resources: [{ arn, accountId: call.accountId }],
    context: tagContext(tags),
  });
  const key = nameKey(call.accountId, instanceProfileName);
  if (call.lab.identity.instanceProfiles.has(key))
    throw alreadyExists("Instance Profile", instanceProfileName);
  const profile: InstanceProfile = {
    accountId: call.accountId,
    instanceProfileName,
    instanceProfileId: newUniqueId(call.lab.random, "AIPA"),
    path,
    arn,
    createdAtMs: call.lab.clock.now(),
    tags,
  };
  call.lab.identity.instanceProfiles.put(key, profile);
  return { InstanceProfile: describeProfile(call, profile) };
}

/** The profile as IAM and ListInstanceProfilesForRole show it, with the role that is in it. */
export function describeProfile(call: Call, profile: InstanceProfile): ProfileOutput {
  const { lab } = call;
  const role =
    profile.roleName === undefined
      ? undefined
      : lab.identity.roles.get(nameKey(profile.accountId, profile.roleName));
  return {
    Path: profile.path,
    InstanceProfileName: profile.instanceProfileName,
    InstanceProfileId: profile.instanceProfileId,
    Arn: profile.arn,
    CreateDate: new Date(profile.createdAtMs),
    Roles: role === undefined ? [] : [describeRole(lab, role)],
    ...(Object.keys(profile.tags).length === 0 ? {} : { Tags: tagList(profile.tags) }),
  };
}

function authorizedProfile(call: Call, action: string, name: string): InstanceProfile {
  const profile = call.lab.identity.instanceProfiles.get(nameKey(call.accountId, name));
  const arn = profile?.arn ?? `arn:${call.partition}:iam::${call.accountId}:instance-profile/${name}`;
  const tags = profile?.tags ?? {};
  call.authorize({ action: `iam:${action}`, resources: [{ arn, accountId: call.accountId, tags }] });
  if (profile === undefined) throw noSuchEntity("instance profile", name);
  return profile;
}

function saveProfile(call: Call, profile: InstanceProfile): void {
  call.lab.identity.instanceProfiles.put(nameKey(profile.accountId, profile.instanceProfileName), profile);
}

export function getInstanceProfile(input: GetInstanceProfileCommandInput, call: Call): object {
  return {
    InstanceProfile: describeProfile(
      call,
      authorizedProfile(call, "GetInstanceProfile", input.InstanceProfileName!),
    ),
  };
}

export function deleteInstanceProfile(input: DeleteInstanceProfileCommandInput, call: Call): object {
  const profile = authorizedProfile(call, "DeleteInstanceProfile", input.InstanceProfileName!);
  if (profile.roleName !== undefined)
    throw deleteConflict("Cannot delete entity, must remove roles from instance profile first.");
  call.lab.identity.instanceProfiles.delete(nameKey(call.accountId, profile.instanceProfileName));
  return {};
}

/** Putting a role into a profile passes it to EC2, so it takes iam:PassRole too. A profile holds one role. */
export function addRoleToInstanceProfile(input: AddRoleToInstanceProfileCommandInput, call: Call): object {
  const profile = authorizedProfile(call, "AddRoleToInstanceProfile", input.InstanceProfileName!);
  const role = call.lab.identity.roles.get(nameKey(call.accountId, input.RoleName!));
  if (role === undefined) throw noSuchEntity("role", input.RoleName!);
  call.authorize({
    action: "iam:PassRole",
    resources: [holderAccess(role)],
    context: { "iam:PassedToService": "ec2.amazonaws.com" },
  });
  if (profile.roleName !== undefined)
    throw limitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
  saveProfile(call, { ...profile, roleName: role.roleName });
  return {};
}

export function removeRoleFromInstanceProfile(
  input: RemoveRoleFromInstanceProfileCommandInput,
  call: Call,
): object {
  const profile = authorizedProfile(call, "RemoveRoleFromInstanceProfile", input.InstanceProfileName!);
  if (profile.roleName?.toLowerCase() !== input.RoleName!.toLowerCase())
    throw noSuchEntity("role", input.RoleName!);
  const { roleName: _removed, ...rest } = profile;
  saveProfile(call, rest);
  return {};
}

export function listInstanceProfiles(input: ListInstanceProfilesCommandInput, call: Call): object {
  call.authorize({ action: "iam:ListInstanceProfiles", resources: [allOf(call, "instance-profile")] });
  const found = profilesOf(call).filter(({ path }) => path.startsWith(input.PathPrefix ?? "/"));
  const { items, ...page } = pageOf(found, input);
  return { InstanceProfiles: items.map((profile) => describeProfile(call, profile)), ...page };
}

export function listInstanceProfilesForRole(
  input: ListInstanceProfilesForRoleCommandInput,
  call: Call,
): object {
  const role = authorizedHolder(roleHolder, { ...input }, { call, action: "ListInstanceProfilesForRole" });
  const { items, ...page } = pageOf(
    profilesOf(call).filter(({ roleName }) => roleName === role.roleName),
    input,
  );
  return { InstanceProfiles: items.map((profile) => describeProfile(call, profile)), ...page };
}

function profilesOf(call: Call): InstanceProfile[] {
  return [...call.lab.identity.instanceProfiles.values()]
    .filter(({ accountId }) => accountId === call.accountId)
    .sort((a, b) => (a.instanceProfileName < b.instanceProfileName ? -1 : 1));
}
