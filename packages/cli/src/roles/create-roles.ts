import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { createRole, planRoleChanges } from "@garrison/aws/create-role";
import { GarrisonError } from "@garrison/core/garrison-error";
import { exportRole, placeholders, type RoleDocuments } from "@garrison/roles/export-role";
import { findRole } from "@garrison/roles/role-catalogue";
import type { RoleChange } from "@garrison/roles/plan-role";
import type { CliContext } from "../cli-context.ts";
import { confirmChanges } from "./confirm-changes.ts";
import { exportOptions, type RoleFlags } from "./role-options.ts";

export interface CreateFlags extends RoleFlags {
  readonly yes?: true;
  readonly json?: true;
}

interface Planned {
  readonly documents: RoleDocuments;
  readonly changes: readonly RoleChange[];
}

/** Shows the difference, asks, and writes it with the operator's own current credentials. */
export async function createRoles(
  ids: readonly string[],
  flags: CreateFlags,
  context: CliContext,
): Promise<void> {
  const region =
    context.environment["AWS_REGION"] ?? context.environment["AWS_DEFAULT_REGION"] ?? "us-east-1";
  const clients = openAwsClients({ region });
  try {
    const planned: Planned[] = [];
    for (const id of ids) {
      const documents = exportRole(findRole(id).id, exportOptions(flags));
      refusePlaceholders(documents);
      planned.push({
        documents,
        changes: await planRoleChanges(clients, documents, { signal: context.signal }),
      });
    }
    const count = planned.reduce((sum, { changes }) => sum + changes.length, 0);
    if (flags.json !== true) context.stdout.write(planned.map(formatPlan).join("\n"));
    const isAgreed =
      count === 0 ||
      flags.yes === true ||
      (await confirmChanges(context, `Write these ${count} changes?`, count));
    if (isAgreed) await write(clients, planned, context);
    else context.setExitCode(1);
    if (flags.json === true)
      context.stdout.write(
        `${JSON.stringify({ applied: isAgreed, roles: planned.map(summary) }, null, 2)}\n`,
      );
    else context.stdout.write(isAgreed ? `${count} changes written.\n` : "Nothing was changed.\n");
  } finally {
    clients.close();
  }
}

async function write(clients: AwsClients, planned: readonly Planned[], context: CliContext): Promise<void> {
  for (const { changes, documents } of planned) {
    await createRole(clients, documents, { signal: context.signal, expected: changes });
  }
}

function summary({ changes, documents }: Planned) {
  return { roleId: documents.roleId, roleName: documents.roleName, changes };
}

/** A trust that names a placeholder would be valid for whoever guesses it. */
function refusePlaceholders(documents: RoleDocuments): void {
  const text = JSON.stringify(documents.trust) + JSON.stringify(documents.inlinePolicies);
  const left = Object.values(placeholders).filter((placeholder) => text.includes(placeholder));
  if (left.length === 0) return;
  throw new GarrisonError(
    "usage",
    `${documents.roleName} still needs ${left.join(" and ")}: see --help for the options`,
  );
}

function formatPlan({ changes, documents }: Planned): string {
  if (changes.length === 0) return `${documents.roleName}: as documented already\n`;
  const lines = changes.flatMap(({ after, before, name, what }) => [
    `  ${what}: ${name}`,
    ...(before === undefined ? [] : [`    - ${JSON.stringify(before)}`]),
    ...(after === undefined ? [] : [`    + ${JSON.stringify(after)}`]),
  ]);
  return [`${documents.roleName} (${documents.title})`, ...lines, ""].join("\n");
}
