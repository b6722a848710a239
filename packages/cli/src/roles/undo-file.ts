import { open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { RoleChange } from "@garrison/roles/plan-role";
import type { UndoRecord } from "@garrison/roles/repair/plan-undo";
import { parseRoleArn } from "@garrison/roles/role-arn";

/** Writes the record so that it outlives a crash: readable by its owner only, on the disk before this returns. */
export async function writeUndoFile(path: string, record: UndoRecord): Promise<void> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    const folder = await open(dirname(path), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    throw new GarrisonError("usage", `the undo file ${path} can't be written; nothing was changed`, {
      cause: error,
    });
  }
}

/** Throws `undo-file-invalid` for what no repair wrote. */
export async function readUndoFile(path: string): Promise<UndoRecord> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new GarrisonError("undo-file-invalid", `${path} can't be read`, { cause: error });
  }
  const record = parseJson(text, path);
  if (isUndoRecord(record)) return record;
  throw new GarrisonError("undo-file-invalid", `${path} is not what a repair writes`);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GarrisonError("undo-file-invalid", `${path} is not JSON`, { cause: error });
  }
}

const undoable: readonly RoleChange["what"][] = [
  "replace the trust policy",
  "write the inline policy",
  "delete the inline policy",
  "create the instance profile",
  "put the role into the instance profile",
];

/** Nothing outside a repair's bounds may come in by a file: the role's trust, profile and `garrison-` policies. */
function isUndoRecord(value: unknown): value is UndoRecord {
  const record = (value ?? {}) as Partial<UndoRecord>;
  if (record.format !== "garrison-role-undo/1" || typeof record.roleArn !== "string") return false;
  const { before, changes, roleArn } = record;
  if (!isObject(before) || before.roleArn !== roleArn || !isObject(before.trust)) return false;
  const areParts = isObject(before.inlinePolicies) && Array.isArray(before.attachedPolicies);
  if (!areParts || !Array.isArray(before.instanceProfiles) || !Array.isArray(changes)) return false;
  const { roleName } = parseRoleArn(roleArn);
  return changes.every(
    ({ after, before: replaced, name, what }) =>
      undoable.includes(what) &&
      (what.endsWith("inline policy") ? /^garrison-[\w+=,.@-]+$/.test(name) : name === roleName) &&
      [after, replaced].every((document) => document === undefined || isObject(document)),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
