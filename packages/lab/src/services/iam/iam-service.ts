import type { LabService, Operation } from "../../wire/operation-handler.ts";
import * as account from "./account-operations.ts";
import { getContextKeysForCustomPolicy, getContextKeysForPrincipalPolicy } from "./context-keys.ts";
import { holderPolicyOperations } from "./holder-policies.ts";
import { roleHolder, userHolder } from "./holders.ts";
import * as policies from "./policy-operations.ts";
import * as profiles from "./profile-operations.ts";
import * as roles from "./role-operations.ts";
import { simulateCustomPolicy, simulatePrincipalPolicy } from "./simulate-operations.ts";
import * as users from "./user-operations.ts";

const operations: Readonly<Record<string, Operation>> = {
  ...holderPolicyOperations(roleHolder),
  ...holderPolicyOperations(userHolder),
  CreateRole: roles.createRole,
  GetRole: roles.getRole,
  ListRoles: roles.listRoles,
  DeleteRole: roles.deleteRole,
  UpdateAssumeRolePolicy: roles.updateAssumeRolePolicy,
  UpdateRole: roles.updateRole,
  UpdateRoleDescription: roles.updateRoleDescription,
  TagRole: roles.tagRole,
  UntagRole: roles.untagRole,
  ListRoleTags: roles.listRoleTags,
  CreateUser: users.createUser,
  GetUser: users.getUser,
  ListUsers: users.listUsers,
  DeleteUser: users.deleteUser,
  TagUser: users.tagUser,
  UntagUser: users.untagUser,
  ListUserTags: users.listUserTags,
  CreateAccessKey: users.createUserAccessKey,
  UpdateAccessKey: users.updateAccessKey,
  DeleteAccessKey: users.deleteAccessKey,
  ListAccessKeys: users.listAccessKeys,
  CreatePolicy: policies.createPolicy,
  GetPolicy: policies.getPolicy,
  ListPolicies: policies.listPolicies,
  DeletePolicy: policies.deletePolicy,
  CreatePolicyVersion: policies.createPolicyVersion,
  GetPolicyVersion: policies.getPolicyVersion,
  ListPolicyVersions: policies.listPolicyVersions,
  DeletePolicyVersion: policies.deletePolicyVersion,
  SetDefaultPolicyVersion: policies.setDefaultPolicyVersion,
  ListEntitiesForPolicy: policies.listEntitiesForPolicy,
  CreateInstanceProfile: profiles.createInstanceProfile,
  GetInstanceProfile: profiles.getInstanceProfile,
  DeleteInstanceProfile: profiles.deleteInstanceProfile,
  AddRoleToInstanceProfile: profiles.addRoleToInstanceProfile,
  RemoveRoleFromInstanceProfile: profiles.removeRoleFromInstanceProfile,
  ListInstanceProfiles: profiles.listInstanceProfiles,
  ListInstanceProfilesForRole: profiles.listInstanceProfilesForRole,
  GetAccountSummary: account.getAccountSummary,
  ListAccountAliases: account.listAccountAliases,
  SimulatePrincipalPolicy: simulatePrincipalPolicy,
  SimulateCustomPolicy: simulateCustomPolicy,
  GetContextKeysForPrincipalPolicy: getContextKeysForPrincipalPolicy,
  GetContextKeysForCustomPolicy: getContextKeysForCustomPolicy,
};

/** AWS Identity and Access Management. */
export const iamService: LabService = {
  signingName: "iam",
  load: async () => {
    const module = await import("@aws-sdk/client-iam");
    return { module, client: new module.IAMClient({ region: "us-east-1" }) };
  },
  deniedCode: "AccessDenied",
  operations,
};
