import {
  GetInstanceProfileCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from "@aws-sdk/client-iam";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { RoleDocuments } from "@garrison/roles/export-role";
import type { RoleState } from "@garrison/roles/plan-role";
import type { Call } from "@garrison/roles/prober";
import { parseDocument } from "./role-prober.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** The role as IAM holds it now, with the rights of whoever asks (an operator). */
export async function readRoleState(
  iam: IAMClient,
  documents: RoleDocuments,
  call: Call,
): Promise<RoleState> {
  const RoleName = documents.roleName;
  const abort = { abortSignal: call.signal };
  const profile = await unlessMissing(`reading the instance profile ${RoleName}`, () =>
    iam.send(
      new GetInstanceProfileCommand({ InstanceProfileName: documents.instanceProfile?.name ?? RoleName }),
      abort,
    ),
  );
  const instanceProfile =
    profile === undefined
      ? {}
      : {
          instanceProfile: {
            roleNames: (profile.InstanceProfile?.Roles ?? []).map((role) => role.RoleName ?? ""),
          },
        };
  const role = await unlessMissing(`reading ${RoleName}`, () =>
    iam.send(new GetRoleCommand({ RoleName }), abort),
  );
  if (role === undefined) return { inlinePolicies: {}, attachedPolicies: [], ...instanceProfile };
  const inlinePolicies: Record<string, object> = {};
  const listed = await iam.send(new ListRolePoliciesCommand({ RoleName, MaxItems: 1000 }), abort);
  for (const PolicyName of listed.PolicyNames ?? []) {
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }), abort);
    inlinePolicies[PolicyName] = parseDocument(PolicyDocument);
  }
  const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName, MaxItems: 1000 }), abort);
  return {
    trust: parseDocument(role.Role?.AssumeRolePolicyDocument),
    inlinePolicies,
    attachedPolicies: (attached.AttachedPolicies ?? []).map(({ PolicyName }) => PolicyName ?? ""),
    ...instanceProfile,
  };
}

async function unlessMissing<Value>(doing: string, read: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await read();
  } catch (error) {
    const named: GarrisonError = translateAwsError(error, doing);
    if (isGarrisonError(named, "aws-not-found")) return undefined;
    throw named;
  }
}
