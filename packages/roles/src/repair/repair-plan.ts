import type { RoleChange } from "../role-change.ts";

/** A change of a document that isn't the role's own: printed for whoever owns it, never written. */
export interface OwnerPatch {
  /** `identity`, `boundary`, `scp`, `rcp`, `instance-profile` */
  readonly layer: string;
  /** Its name, or its ARN. */
  readonly policy: string;
  /** Where an organisation policy is attached. */
  readonly attachedTo?: string;
  /** Who may change it, in words. */
  readonly owner: string;
  /** What it keeps the role from. */
  readonly sentence: string;
  readonly statements: readonly StatementChange[];
  /** The whole document; without `before` it is a new one to attach, without `after` it is to be detached. */
  readonly before?: object;
  readonly after?: object;
}

export interface StatementChange {
  readonly before?: object;
  readonly after?: object;
}

export interface RepairPlan {
  readonly roleArn: string;
  /** Within the role's own trust, profile and `garrison-` policies, in the order to make them; empty when all is right. */
  readonly changes: readonly RoleChange[];
  readonly patches: readonly OwnerPatch[];
  /** What neither a change nor a patch mends, one sentence each. */
  readonly unmended: readonly string[];
}
