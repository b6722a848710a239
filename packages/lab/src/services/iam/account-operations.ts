import type { Call } from "../../wire/operation-handler.ts";

/** Counts and quotas of the account. */
export function getAccountSummary(_input: object, call: Call): object {
  call.authorize({ action: "iam:GetAccountSummary", resources: [{ arn: "*", accountId: call.accountId }] });
  const { users, roles, instanceProfiles, managedPolicies } = call.lab.identity;
  const own = (values: Iterable<{ readonly accountId: string }>): number =>
    [...values].filter(({ accountId }) => accountId === call.accountId).length;
  return {
    SummaryMap: {
      Users: own(users.values()),
      UsersQuota: 5000,
      Roles: own(roles.values()),
      RolesQuota: 1000,
      InstanceProfiles: own(instanceProfiles.values()),
      InstanceProfilesQuota: 1000,
      Policies: own(managedPolicies.values()),
      PoliciesQuota: 1500,
      Groups: 0,
      GroupsQuota: 300,
      AccessKeysPerUserQuota: 2,
      AttachedPoliciesPerRoleQuota: 10,
      AttachedPoliciesPerUserQuota: 10,
      AttachedPoliciesPerGroupQuota: 10,
      AssumeRolePolicySizeQuota: 2048,
      PolicySizeQuota: 6144,
      RolePolicySizeQuota: 10_240,
      UserPolicySizeQuota: 2048,
      GroupPolicySizeQuota: 5120,
      VersionsPerPolicyQuota: 5,
      GlobalEndpointTokenVersion: 2,
      AccountAccessKeysPresent: 0,
    },
  };
}

export function listAccountAliases(_input: object, call: Call): object {
  call.authorize({ action: "iam:ListAccountAliases", resources: [{ arn: "*", accountId: call.accountId }] });
  return { AccountAliases: [], IsTruncated: false };
}
