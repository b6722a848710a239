import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { RoleDocuments } from "@garrison/roles/export-role";
import { planRole } from "@garrison/roles/plan-role";
import type { Call } from "@garrison/roles/prober";
import type { RoleBefore } from "@garrison/roles/repair/role-before";
import type { RoleChange } from "@garrison/roles/role-change";
import type { AwsClients } from "./aws-clients.ts";
import { executeRoleChanges } from "./execute-role-changes.ts";
import { readRoleBefore } from "./read-role-before.ts";
import { readRoleHead } from "./role-parts.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** What it would take to make IAM hold a role as documented. No changes: it does already. */
export interface PlannedRole {
  readonly before: RoleBefore;
  readonly changes: readonly RoleChange[];
}

/** Plans in the account of the clients' credentials; changes nothing. */
export async function planRoleChanges(
  clients: AwsClients,
  documents: RoleDocuments,
  call: Call,
): Promise<PlannedRole> {
  const roleArn = await findRoleArn(clients, documents.roleName, call);
  const managedNames = documents.managedPolicies.map(({ name }) => name);
  const before = await readRoleBefore(clients.iam(), { roleArn, managedNames }, call);
  return { before, changes: planRole(before, documents) };
}

/**
 * Makes IAM hold the role as documented: role, trust, Garrison's own policies, instance profile. May be repeated: what is
 * there already is left as it is, and policies not named as ours are never touched. Answers what it changed.
 */
export async function createRole(
  clients: AwsClients,
  documents: RoleDocuments,
  call: Call,
): Promise<readonly RoleChange[]> {
  const { before, changes } = await planRoleChanges(clients, documents, call);
  if (changes.length === 0) return changes;
  const record = async () => undefined;
  await executeRoleChanges(clients.iam(), { expected: before, changes, record }, call);
  return changes;
}

/** Where the role is, or will be: one that is there already may have a path. */
async function findRoleArn(clients: AwsClients, roleName: string, call: Call): Promise<string> {
  try {
    return (await readRoleHead(clients.iam(), roleName, call)).arn;
  } catch (error) {
    const named = translateAwsError(error, `reading ${roleName}`);
    if (!isGarrisonError(named, "aws-not-found")) throw named;
  }
  const abort = { abortSignal: call.signal };
  const { Account = "", Arn = "" } = await clients.sts().send(new GetCallerIdentityCommand({}), abort);
  return `arn:${Arn.split(":")[1] ?? "aws"}:iam::${Account}:role/${roleName}`;
}
