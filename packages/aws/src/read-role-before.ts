import { GetPolicyCommand, type IAMClient, ListPolicyVersionsCommand } from "@aws-sdk/client-iam";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Call } from "@garrison/roles/prober";
import type { HeldProfile, HeldRole } from "@garrison/roles/repair/held-role";
import {
  isManagedName,
  managedPolicyArn,
  ownerTag,
  type HeldManagedPolicy,
  type RoleBefore,
} from "@garrison/roles/repair/role-before";
import { parseRoleArn } from "@garrison/roles/role-arn";
import { readHeldRole } from "./read-held-role.ts";
import { findProfile, readPolicyVersion } from "./role-parts.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** What is there of a role, which may not exist, and of the managed policies that it is to have. */
export async function readRoleBefore(
  iam: IAMClient,
  { managedNames, roleArn }: { readonly roleArn: string; readonly managedNames: readonly string[] },
  call: Call,
): Promise<RoleBefore> {
  const { roleName } = parseRoleArn(roleArn);
  const held = await findHeldRole(iam, roleArn, call);
  const profiles = held?.instanceProfiles ?? (await ownProfile(iam, roleName, call));
  const attached = (held?.attachedPolicies ?? []).map(({ arn }) => arn.split("/").at(-1) ?? "");
  const ours = attached.filter((name) => isManagedName(roleName, name));
  const managed: Record<string, HeldManagedPolicy> = {};
  for (const name of [...new Set([...managedNames, ...ours])].sort()) {
    const found = await findManagedPolicy(iam, { arn: managedPolicyArn(roleArn, name), roleName }, call);
    if (found !== undefined) managed[name] = found;
  }
  return { roleArn, ...(held === undefined ? {} : { held }), profiles, managed };
}

async function findHeldRole(iam: IAMClient, roleArn: string, call: Call): Promise<HeldRole | undefined> {
  try {
    return await readHeldRole(iam, roleArn, call);
  } catch (error) {
    if (isGarrisonError(error, "role-missing")) return undefined;
    throw error;
  }
}

async function ownProfile(iam: IAMClient, name: string, call: Call): Promise<readonly HeldProfile[]> {
  const found = await findProfile(iam, name, call);
  return found === undefined ? [] : [found];
}

async function findManagedPolicy(
  iam: IAMClient,
  { arn, roleName }: { readonly arn: string; readonly roleName: string },
  call: Call,
): Promise<HeldManagedPolicy | undefined> {
  const abort = { abortSignal: call.signal };
  try {
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: arn }), abort);
    const versionId = Policy?.DefaultVersionId ?? "v1";
    return {
      document: await readPolicyVersion(iam, { PolicyArn: arn, VersionId: versionId }, call),
      versionId,
      versions: (await readVersionIds(iam, arn, call)).length,
      isOurs: Policy?.Tags?.some(({ Key, Value }) => Key === ownerTag && Value === roleName) === true,
      uses: (Policy?.AttachmentCount ?? 0) + (Policy?.PermissionsBoundaryUsageCount ?? 0),
    };
  } catch (error) {
    const named = translateAwsError(error, `reading ${arn}`);
    if (isGarrisonError(named, "aws-not-found")) return undefined;
    throw named;
  }
}

async function readVersionIds(
  iam: IAMClient,
  PolicyArn: string,
  { signal: abortSignal }: Call,
): Promise<readonly string[]> {
  const found: string[] = [];
  let Marker: string | undefined;
  do {
    const page = await iam.send(new ListPolicyVersionsCommand({ PolicyArn, Marker }), { abortSignal });
    for (const { VersionId } of page.Versions ?? []) if (VersionId !== undefined) found.push(VersionId);
    Marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (Marker !== undefined);
  return found;
}
