import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  type IAMClient,
} from "@aws-sdk/client-iam";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { RoleDocuments } from "@garrison/roles/export-role";
import { planRole, type RoleChange } from "@garrison/roles/plan-role";
import type { Call } from "@garrison/roles/prober";
import { applyRoleChange } from "./apply-role-change.ts";
import type { AwsClients } from "./aws-clients.ts";
import { readRoleState } from "./read-role-state.ts";
import { translateAwsError } from "./translate-aws-error.ts";

/** What it would take to make IAM hold the role as documented; changes nothing. Empty: it does already. */
export async function planRoleChanges(
  clients: AwsClients,
  documents: RoleDocuments,
  call: Call,
): Promise<readonly RoleChange[]> {
  return planRole(await readRoleState(clients.iam(), documents, call), documents);
}

/**
 * Makes IAM hold the role as documented: role, trust, Garrison's own inline policies, instance profile. May be repeated:
 * what is there already is left as it is, and policies not named `garrison-` are never touched. Answers what it changed.
 * With `expected`, stops if the role was changed since that plan was made.
 */
export async function createRole(
  clients: AwsClients,
  documents: RoleDocuments,
  call: Call & { readonly expected?: readonly RoleChange[] },
): Promise<readonly RoleChange[]> {
  const changes = await planRoleChanges(clients, documents, call);
  if (call.expected !== undefined && JSON.stringify(call.expected) !== JSON.stringify(changes)) {
    throw new GarrisonError(
      "role-changed",
      `${documents.roleName} is no longer as it was when the difference was shown`,
    );
  }
  for (const change of changes) {
    try {
      await apply(clients.iam(), { change, documents }, call);
    } catch (error) {
      throw translateAwsError(error, `${change.what} of ${documents.roleName}`);
    }
  }
  return changes;
}

async function apply(
  iam: IAMClient,
  { change, documents }: { readonly change: RoleChange; readonly documents: RoleDocuments },
  call: Call,
): Promise<void> {
  const RoleName = documents.roleName;
  const abort = { abortSignal: call.signal };
  const text = JSON.stringify(change.after);
  if (change.what === "create the role") {
    const command = { RoleName, AssumeRolePolicyDocument: text, Description: documents.title };
    await iam.send(new CreateRoleCommand(command), abort);
  } else if (change.what === "create and attach the managed policy") {
    const made = await iam.send(
      new CreatePolicyCommand({ PolicyName: change.name, PolicyDocument: text }),
      abort,
    );
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: made.Policy?.Arn }), abort);
  } else {
    await applyRoleChange(iam, { RoleName, change }, call);
  }
}
