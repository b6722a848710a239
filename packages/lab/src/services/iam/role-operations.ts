import type {
  CreateRoleCommandInput,
  DeleteRoleCommandInput,
  GetRoleCommandInput,
  ListRolesCommandInput,
  ListRoleTagsCommandInput,
  Role as RoleOutput,
  TagRoleCommandInput,
  UntagRoleCommandInput,
  UpdateAssumeRolePolicyCommandInput,
  UpdateRoleCommandInput,
  UpdateRoleDescriptionCommandInput,
} from "@aws-sdk/client-iam";
import { nameKey, type Role } from "../../identity/identity-tables.ts";
import { showPrincipals, storePrincipals } from "../../identity/stored-principals.ts";
import { newUniqueId } from "../../identity/unique-ids.ts";
import type { Lab } from "../../lab.ts";
import type { Call } from "../../wire/operation-handler.ts";
import { checkRange } from "../sts/validation.ts";
import { checkPolicyDocument } from "./check-policy-document.ts";
import { authorizedHolder, holdersOf, roleHolder, saveHolder } from "./holders.ts";
import { alreadyExists, deleteConflict, limitExceeded } from "./iam-errors.ts";
import { checkName, checkPath, codedDocument, policyLength } from "./iam-names.ts";
import { pageOf } from "./iam-page.ts";
import { addTags, readTags, tagContext, tagList, withoutTags } from "./iam-tags.ts";
import { attachablePolicy } from "./managed-policy-access.ts";

const maxTrustLength = 2048;

export function createRole(input: CreateRoleCommandInput, call: Call): object {
  const { roles } = call.lab.identity;
  const path = input.Path ?? "/";
  checkName("roleName", input.RoleName, 64);
  checkPath(path);
  checkRange("maxSessionDuration", input.MaxSessionDuration, [3600, 43_200]);
  const roleName = input.RoleName!;
  const arn = `arn:${call.partition}:iam::${call.accountId}:role${path}${roleName}`;
  const tags = readTags(input.Tags);
  const boundaryArn = input.PermissionsBoundary;
  const boundary: Record<string, string> =
    boundaryArn === undefined ? {} : { "iam:PermissionsBoundary": boundaryArn };
  const resources = [{ arn, accountId: call.accountId }];
  call.authorize({ action: "iam:CreateRole", resources, context: { ...tagContext(tags), ...boundary } });
  if (Object.keys(tags).length > 0)
    call.authorize({ action: "iam:TagRole", resources, context: tagContext(tags) });
  const key = nameKey(call.accountId, roleName);
  if (roles.has(key)) throw alreadyExists("Role", roleName);
  if (boundaryArn !== undefined) attachablePolicy(call, boundaryArn);
  const role: Role = {
    accountId: call.accountId,
    roleName,
    roleId: newUniqueId(call.lab.random, "AROA"),
    path,
    arn,
    createdAtMs: call.lab.clock.now(),
    maxSessionDurationSeconds: input.MaxSessionDuration ?? 3600,
    trustPolicy: checkedTrust(call.lab, input.AssumeRolePolicyDocument!),
    tags,
    inlinePolicies: {},
    attachedPolicyArns: [],
    ...(input.Description === undefined ? {} : { description: input.Description }),
    ...(boundaryArn === undefined ? {} : { boundaryArn }),
  };
  roles.put(key, role);
  return { Role: describeRole(call.lab, role) };
}

function checkedTrust(lab: Lab, document: string): string {
  checkPolicyDocument(document, "trust");
  if (policyLength(document) > maxTrustLength) {
    throw limitExceeded(`Cannot exceed quota for ACLSizePerRole: ${maxTrustLength}`);
  }
  return storePrincipals(lab, document);
}

/** The role as IAM shows it: what its trust names by unique id is shown by ARN as long as it lives. */
export function describeRole(lab: Lab, role: Role): RoleOutput {
  return {
    Path: role.path,
    RoleName: role.roleName,
    RoleId: role.roleId,
    Arn: role.arn,
    CreateDate: new Date(role.createdAtMs),
    AssumeRolePolicyDocument: codedDocument(showPrincipals(lab, role.trustPolicy)),
    MaxSessionDuration: role.maxSessionDurationSeconds,
    ...(role.description === undefined ? {} : { Description: role.description }),
    ...(role.boundaryArn === undefined
      ? {}
      : {
          PermissionsBoundary: {
            PermissionsBoundaryType: "Policy" as never,
            PermissionsBoundaryArn: role.boundaryArn,
          },
        }),
    ...(Object.keys(role.tags).length === 0 ? {} : { Tags: tagList(role.tags) }),
  };
}

export function getRole(input: GetRoleCommandInput, call: Call): object {
  const role = authorizedHolder(roleHolder, { ...input }, { call, action: "GetRole" });
  return { Role: { ...describeRole(call.lab, role), RoleLastUsed: {} } };
}

export function listRoles(input: ListRolesCommandInput, call: Call): object {
  call.authorize({ action: "iam:ListRoles", resources: [allOf(call, "role")] });
  const { items, ...page } = pageOf(holdersOf(roleHolder, call, input.PathPrefix), input);
  // ListRoles leaves out tags and boundary, as AWS does.
  const roles = items.map((role) => {
    const { Tags: _tags, PermissionsBoundary: _boundary, ...rest } = describeRole(call.lab, role);
    return rest;
  });
  return { Roles: roles, ...page };
}

export function allOf(call: Call, type: string): { arn: string; accountId: string } {
  return { arn: `arn:${call.partition}:iam::${call.accountId}:${type}/*`, accountId: call.accountId };
}

export function deleteRole(input: DeleteRoleCommandInput, call: Call): object {
  const role = authorizedHolder(roleHolder, { ...input }, { call, action: "DeleteRole" });
  if (Object.keys(role.inlinePolicies).length > 0)
    throw deleteConflict("Cannot delete entity, must delete policies first.");
  if (role.attachedPolicyArns.length > 0)
    throw deleteConflict("Cannot delete entity, must detach all policies first.");
  for (const profile of call.lab.identity.instanceProfiles.values()) {
    if (profile.accountId === call.accountId && profile.roleName === role.roleName) {
      throw deleteConflict("Cannot delete entity, must remove roles from instance profile first.");
    }
  }
  call.lab.identity.roles.delete(nameKey(call.accountId, role.roleName));
  return {};
}

export function updateAssumeRolePolicy(input: UpdateAssumeRolePolicyCommandInput, call: Call): object {
  const role = authorizedHolder(roleHolder, { ...input }, { call, action: "UpdateAssumeRolePolicy" });
  saveHolder(roleHolder, call, { ...role, trustPolicy: checkedTrust(call.lab, input.PolicyDocument!) });
  return {};
}

export function updateRole(input: UpdateRoleCommandInput, call: Call): object {
  const role = authorizedHolder(roleHolder, { ...input }, { call, action: "UpdateRole" });
  checkRange("maxSessionDuration", input.MaxSessionDuration, [3600, 43_200]);
  saveHolder(roleHolder, call, {
    ...role,
    ...(input.Description === undefined ? {} : { description: input.Description }),
    ...(input.MaxSessionDuration === undefined
      ? {}
      : { maxSessionDurationSeconds: input.MaxSessionDuration }),
  });
  return {};
}

export function updateRoleDescription(input: UpdateRoleDescriptionCommandInput, call: Call): object {
  const role = authorizedHolder(roleHolder, { ...input }, { call, action: "UpdateRoleDescription" });
  const changed = { ...role, description: input.Description! };
  saveHolder(roleHolder, call, changed);
  return { Role: describeRole(call.lab, changed) };
}

export function tagRole(input: TagRoleCommandInput, call: Call): object {
  const context = tagContext(readTags(input.Tags));
  const role = authorizedHolder(roleHolder, { ...input }, { call, action: "TagRole", context });
  saveHolder(roleHolder, call, { ...role, tags: addTags(role.tags, input.Tags) });
  return {};
}

export function untagRole(input: UntagRoleCommandInput, call: Call): object {
  const context = { "aws:TagKeys": input.TagKeys ?? [] };
  const role = authorizedHolder(roleHolder, { ...input }, { call, action: "UntagRole", context });
  saveHolder(roleHolder, call, { ...role, tags: withoutTags(role.tags, input.TagKeys) });
  return {};
}

export function listRoleTags(input: ListRoleTagsCommandInput, call: Call): object {
  const role = authorizedHolder(roleHolder, { ...input }, { call, action: "ListRoleTags" });
  const { items, ...page } = pageOf(tagList(role.tags), input);
  return { Tags: items, ...page };
}
