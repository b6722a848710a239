import { resolve } from "node:path";
import type { AwsClients } from "@garrison/aws/aws-clients";
import { executeRoleChanges } from "@garrison/aws/execute-role-changes";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { RoleBefore } from "@garrison/roles/repair/role-before";
import type { UndoRecord } from "@garrison/roles/repair/plan-undo";
import { parseRoleArn } from "@garrison/roles/role-arn";
import type { RoleChange } from "@garrison/roles/role-change";
import type { CliContext } from "../cli-context.ts";
import { writeUndoFile } from "./undo-file.ts";

export interface ChangesToWrite {
  readonly before: RoleBefore;
  readonly changes: readonly RoleChange[];
  /** Absent: a new file here. */
  readonly undoFile?: string | undefined;
}

/** Makes the changes with the undo file on the disk before the first; answers where it is. */
export async function writeChanges(
  clients: AwsClients,
  { before, changes, undoFile }: ChangesToWrite,
  { clock, signal }: CliContext,
): Promise<string> {
  const { roleArn } = before;
  const plannedAt = new Date(clock.now()).toISOString();
  const stamp = plannedAt.replace(/[^\d]/g, "").slice(0, 14);
  const path = resolve(undoFile ?? `garrison-undo-${parseRoleArn(roleArn).roleName}-${stamp}.json`);
  const format = "garrison-role-undo/1";
  const undo: UndoRecord = { format, roleArn, plannedAt, before: before.held ?? null, changes };
  const record = () => writeUndoFile(path, undo);
  try {
    await executeRoleChanges(clients.iam(), { expected: before, changes, record }, { signal });
  } catch (error) {
    if (!isGarrisonError(error, "repair-interrupted")) throw error;
    throw new GarrisonError("repair-interrupted", `${error.message}; the undo file is ${path}`, {
      cause: error.cause,
      details: { ...error.details, undoFile: path },
    });
  }
  return path;
}
