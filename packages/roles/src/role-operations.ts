import type { OperationDefinition } from "./operation-definition.ts";
import type { RoleDefinition, RoleId } from "./role-definition.ts";

/** The operations of a role that code of this release does. */
export function builtOperations(role: RoleDefinition): readonly OperationDefinition[] {
  return role.operations.filter(({ planned }) => planned !== true);
}

/** Nothing that this release does uses the role: all its work is planned. */
export function isPlannedRole(role: RoleDefinition): boolean {
  return role.serves.length === 0;
}

/** The role that a launching role puts on its worker; who launches to recover files carries its own. */
export function attachedRole(launching: RoleDefinition): RoleId {
  return launching.id === "file-recovery-worker" ? launching.id : "worker";
}
