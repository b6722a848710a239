import type { ConditionTemplate, GrantPlacement } from "../grant.ts";
import type { RoleDefinition } from "../role-definition.ts";

/** One action on one resource: what a reviewer compares between releases. */
export interface SnapshotRight {
  readonly action: string;
  readonly resource: string;
  readonly conditions?: ConditionTemplate;
  /** Absent: always. */
  readonly placement?: GrantPlacement;
  readonly neededWhen?: string;
  /** No operation of that release used it. */
  readonly planned?: true;
}

export interface SnapshotRole {
  readonly trusts: readonly string[];
  readonly instanceProfile: boolean;
  readonly rights: readonly SnapshotRight[];
}

/** The catalogue as one version had it, without prose. */
export interface CatalogueSnapshot {
  readonly version: string;
  /** Says of which state the snapshot is while its version isn't released; then it need not be the running one. */
  readonly unreleased?: string;
  readonly roles: Readonly<Record<string, SnapshotRole>>;
}

export function snapshotCatalogue(
  version: string,
  roles: readonly RoleDefinition[],
  unreleased?: string,
): CatalogueSnapshot {
  return {
    version,
    ...(unreleased === undefined ? {} : { unreleased }),
    roles: Object.fromEntries(roles.map((role) => [role.id, snapshotRole(role)])),
  };
}

function snapshotRole({ hasInstanceProfile, operations, serves, trusts }: RoleDefinition): SnapshotRole {
  const rights = new Map<string, SnapshotRight>();
  // Operations that are done come first: a right that one of them uses isn't planned, whoever else plans to use it.
  const inOrder = [...operations].sort((a, b) => Number(a.planned === true) - Number(b.planned === true));
  for (const { grants, planned } of inOrder) {
    for (const { actions, conditions, neededWhen, placement, resources } of grants) {
      const details = {
        ...(conditions === undefined ? {} : { conditions }),
        ...(placement === "always" ? {} : { placement }),
        ...(neededWhen === undefined ? {} : { neededWhen }),
        ...(planned === true || serves.length === 0 ? { planned: true as const } : {}),
      };
      const all = actions.flatMap((action) =>
        resources.map((resource) => ({ action, resource, ...details })),
      );
      for (const right of all.filter((each) => !rights.has(rightKey(each))))
        rights.set(rightKey(right), right);
    }
  }
  const sorted = [...rights].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, right]) => right);
  return { trusts, instanceProfile: hasInstanceProfile, rights: sorted };
}

/** What makes two rights the same: the same statement would give them. */
export function rightKey({ action, conditions = {}, placement = "always", resource }: SnapshotRight): string {
  return JSON.stringify([action, resource, conditions, placement]);
}
