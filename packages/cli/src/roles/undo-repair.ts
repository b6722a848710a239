import { openAwsClients } from "@garrison/aws/aws-clients";
import { executeRoleChanges } from "@garrison/aws/execute-role-changes";
import { readRoleBefore } from "@garrison/aws/read-role-before";
import type { RoleChange } from "@garrison/roles/role-change";
import { planUndo } from "@garrison/roles/repair/plan-undo";
import { managedNamesOf, requireHeld } from "@garrison/roles/repair/role-before";
import type { CliContext } from "../cli-context.ts";
import { confirmChanges } from "./confirm-changes.ts";
import { formatChanges } from "./format-repair.ts";
import { readUndoFile } from "./undo-file.ts";

export interface UndoFlags {
  readonly force?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** Takes back what a create or a repair did, with the operator's own current credentials; what was never done is left as it is. */
export async function undoRepair(path: string, flags: UndoFlags, context: CliContext): Promise<void> {
  const record = await readUndoFile(path);
  const { environment, signal, stdout } = context;
  const region = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1";
  const clients = openAwsClients({ region });
  try {
    const managedNames = managedNamesOf(record.changes);
    const { roleArn } = record;
    const now = await readRoleBefore(clients.iam(), { roleArn, managedNames }, { signal });
    if (record.before !== null) requireHeld(now);
    const changes = planUndo(record, now, { force: flags.force === true });
    if (flags.json !== true) stdout.write(describe(record.roleArn, changes));
    const question = `Put ${record.roleArn} back as it was before ${record.plannedAt}?`;
    const isAgreed =
      changes.length === 0 || flags.yes === true || (await confirmChanges(context, question, changes.length));
    if (isAgreed && changes.length > 0) {
      // The undo file is its own record: given again, it finds what is left to take back.
      const noRecord = async () => undefined;
      await executeRoleChanges(clients.iam(), { expected: now, changes, record: noRecord }, { signal });
    }
    if (!isAgreed) context.setExitCode(1);
    if (flags.json === true)
      stdout.write(`${JSON.stringify({ roleArn, changes, applied: isAgreed }, null, 2)}\n`);
    else if (changes.length > 0)
      stdout.write(isAgreed ? `${changes.length} changes taken back.\n` : "Nothing was changed.\n");
  } finally {
    clients.close();
  }
}

function describe(roleArn: string, changes: readonly RoleChange[]): string {
  if (changes.length === 0) return `${roleArn} is as it was before.\n`;
  return `${roleArn}\n${formatChanges(changes)}`;
}
