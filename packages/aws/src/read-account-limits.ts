import { GetAccountSummaryCommand, type IAMClient } from "@aws-sdk/client-iam";
import { defaultLimits } from "@garrison/roles/check-limits";
import type { AccountLimits } from "@garrison/roles/policy-reader";
import type { Call } from "@garrison/roles/prober";

/** IAM's own count and quotas of the account; where it names none, AWS's defaults. */
export async function readAccountLimits(iam: IAMClient, call: Call): Promise<AccountLimits> {
  const { SummaryMap } = await iam.send(new GetAccountSummaryCommand({}), { abortSignal: call.signal });
  const numbers: Readonly<Partial<Record<string, number>>> = SummaryMap ?? {};
  const { roles, instanceProfiles } = defaultLimits;
  return {
    trustPolicyCharacters: numbers["AssumeRolePolicySizeQuota"] ?? defaultLimits.trustPolicyCharacters,
    inlinePolicyCharacters: numbers["RolePolicySizeQuota"] ?? defaultLimits.inlinePolicyCharacters,
    managedPolicyCharacters: numbers["PolicySizeQuota"] ?? defaultLimits.managedPolicyCharacters,
    attachedPoliciesPerRole: numbers["AttachedPoliciesPerRoleQuota"] ?? defaultLimits.attachedPoliciesPerRole,
    roles: { used: numbers["Roles"] ?? 0, most: numbers["RolesQuota"] ?? roles.most },
    instanceProfiles: {
      used: numbers["InstanceProfiles"] ?? 0,
      most: numbers["InstanceProfilesQuota"] ?? instanceProfiles.most,
    },
  };
}
