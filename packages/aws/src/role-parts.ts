import {
  GetInstanceProfileCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  ListInstanceProfilesForRoleCommand,
  ListRolePoliciesCommand,
} from "@aws-sdk/client-iam";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { HeldPolicy, HeldProfile } from "@garrison/roles/repair/held-role";
import type { Call } from "@garrison/roles/prober";
import { parseDocument } from "./role-prober.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** The parts of one role, each by the calls that it takes: who may not read one may still read the others. */

export interface RoleHead {
  readonly arn: string;
  readonly trust: object;
  readonly boundaryArn?: string;
}

export async function readRoleHead(iam: IAMClient, RoleName: string, call: Call): Promise<RoleHead> {
  const { Role } = await iam.send(new GetRoleCommand({ RoleName }), { abortSignal: call.signal });
  const boundaryArn = Role?.PermissionsBoundary?.PermissionsBoundaryArn;
  return {
    arn: Role?.Arn ?? "",
    trust: parseDocument(Role?.AssumeRolePolicyDocument),
    ...(boundaryArn === undefined ? {} : { boundaryArn }),
  };
}

export async function readInlinePolicies(
  iam: IAMClient,
  RoleName: string,
  { signal: abortSignal }: Call,
): Promise<Readonly<Record<string, object>>> {
  const found: Record<string, object> = {};
  let Marker: string | undefined;
  do {
    const page = await iam.send(new ListRolePoliciesCommand({ RoleName, Marker }), { abortSignal });
    for (const PolicyName of page.PolicyNames ?? []) {
      const command = new GetRolePolicyCommand({ RoleName, PolicyName });
      const { PolicyDocument } = await iam.send(command, { abortSignal });
      found[PolicyName] = parseDocument(PolicyDocument);
    }
    Marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (Marker !== undefined);
  return found;
}

export async function readAttachedPolicies(
  iam: IAMClient,
  RoleName: string,
  call: Call,
): Promise<readonly HeldPolicy[]> {
  const found: HeldPolicy[] = [];
  let Marker: string | undefined;
  do {
    const command = new ListAttachedRolePoliciesCommand({ RoleName, Marker });
    const page = await iam.send(command, { abortSignal: call.signal });
    for (const { PolicyArn } of page.AttachedPolicies ?? [])
      if (PolicyArn !== undefined) found.push(await readManagedPolicy(iam, PolicyArn, call));
    Marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (Marker !== undefined);
  return found.sort((first, second) => (first.arn < second.arn ? -1 : 1));
}

export async function readManagedPolicy(iam: IAMClient, PolicyArn: string, call: Call): Promise<HeldPolicy> {
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }), { abortSignal: call.signal });
  const VersionId = Policy?.DefaultVersionId ?? "v1";
  return { arn: PolicyArn, document: await readPolicyVersion(iam, { PolicyArn, VersionId }, call) };
}

export async function readPolicyVersion(
  iam: IAMClient,
  version: { readonly PolicyArn: string; readonly VersionId: string },
  { signal: abortSignal }: Call,
): Promise<object> {
  const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand(version), { abortSignal });
  return parseDocument(PolicyVersion?.Document);
}

/** The names of the profiles that hold the role. */
export async function readProfilesOf(
  iam: IAMClient,
  RoleName: string,
  { signal: abortSignal }: Call,
): Promise<readonly HeldProfile[]> {
  const found: HeldProfile[] = [];
  let Marker: string | undefined;
  do {
    const command = new ListInstanceProfilesForRoleCommand({ RoleName, Marker });
    const page = await iam.send(command, { abortSignal });
    for (const { InstanceProfileName: name = "" } of page.InstanceProfiles ?? [])
      found.push({ name, roleNames: [RoleName] });
    Marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (Marker !== undefined);
  return found;
}

/** The profile of that name with whatever role is in it; undefined when there is none. */
export async function findProfile(
  iam: IAMClient,
  name: string,
  { signal: abortSignal }: Call,
): Promise<HeldProfile | undefined> {
  try {
    const command = new GetInstanceProfileCommand({ InstanceProfileName: name });
    const { InstanceProfile } = await iam.send(command, { abortSignal });
    return { name, roleNames: (InstanceProfile?.Roles ?? []).map(({ RoleName = "" }) => RoleName) };
  } catch (error) {
    const named = translateAwsError(error, `reading the instance profile ${name}`);
    if (isGarrisonError(named, "aws-not-found")) return undefined;
    throw named;
  }
}
