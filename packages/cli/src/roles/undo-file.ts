import { open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { RoleChange } from "@garrison/roles/role-change";
import type { HeldRole } from "@garrison/roles/repair/held-role";
import type { UndoRecord } from "@garrison/roles/repair/plan-undo";
import { isManagedName } from "@garrison/roles/repair/role-before";
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

/** Throws `undo-file-invalid` for what neither a create nor a repair wrote. */
export async function readUndoFile(path: string): Promise<UndoRecord> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new GarrisonError("undo-file-invalid", `${path} can't be read`, { cause: error });
  }
  const record = parseJson(text, path);
  if (isUndoRecord(record)) return record;
  throw new GarrisonError("undo-file-invalid", `${path} is not what a create or a repair writes`);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GarrisonError("undo-file-invalid", `${path} is not JSON`, { cause: error });
  }
}

const undoable: readonly RoleChange["what"][] = [
  "create the role",
  "replace the trust policy",
  "write the inline policy",
  "delete the inline policy",
  "create the managed policy",
  "change the managed policy",
  "attach the managed policy",
  "detach the managed policy",
  "create the instance profile",
  "put the role into the instance profile",
];

/** Nothing outside our bounds may come in by a file: the role's trust, profile and policies of Garrison's own names. */
function isUndoRecord(value: unknown): value is UndoRecord {
  const record = (value ?? {}) as Partial<UndoRecord>;
  if (record.format !== "garrison-role-undo/1" || typeof record.roleArn !== "string") return false;
  const { before, changes, roleArn } = record;
  if (before !== null && !isHeldRole(before, roleArn)) return false;
  if (!Array.isArray(changes) || (before === null) !== (changes[0]?.what === "create the role")) return false;
  const { roleName } = parseRoleArn(roleArn);
  return changes.every(
    ({ after, before: replaced, name, versionId, what }) =>
      undoable.includes(what) &&
      isOwnName(what, name, roleName) &&
      (versionId === undefined || /^v\d+$/.test(versionId)) &&
      [after, replaced].every((document) => document === undefined || isObject(document)),
  );
}

function isHeldRole(value: unknown, roleArn: string): boolean {
  const held = (isObject(value) ? value : {}) as Partial<HeldRole>;
  const areParts = isObject(held.inlinePolicies) && Array.isArray(held.attachedPolicies);
  const isWhole = isObject(held.trust) && areParts && Array.isArray(held.instanceProfiles);
  return isWhole && held.roleArn === roleArn;
}

function isOwnName(what: RoleChange["what"], name: string, roleName: string): boolean {
  if (what.endsWith("inline policy")) return /^garrison-[\w+=,.@-]+$/.test(name);
  return what.endsWith("managed policy") ? isManagedName(roleName, name) : name === roleName;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
