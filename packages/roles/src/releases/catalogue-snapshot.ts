import type { ConditionTemplate, Grant, GrantPlacement } from "../grant.ts";
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

function snapshotRole(role: RoleDefinition): SnapshotRole {
  // Operations that are done come first: a right that one of them uses isn't planned, whoever else plans to use it.
  const inOrder = [...role.operations].sort(
    (a, b) => Number(a.planned === true) - Number(b.planned === true),
  );
  const all = inOrder.flatMap(({ grants, planned }) =>
    grants.flatMap((grant) => rightsOf(grant, planned === true || role.serves.length === 0)),
  );
  // Of two with the same key the first counts.
  const rights = new Map(all.reverse().map((right) => [rightKey(right), right]));
  const sorted = [...rights].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, right]) => right);
  return { trusts: role.trusts, instanceProfile: role.hasInstanceProfile, rights: sorted };
}

function rightsOf(grant: Grant, isPlanned: boolean): readonly SnapshotRight[] {
  const { actions, conditions, neededWhen, placement, resources } = grant;
  const details = {
    ...(conditions === undefined ? {} : { conditions }),
    ...(placement === "always" ? {} : { placement }),
    ...(neededWhen === undefined ? {} : { neededWhen }),
    ...(isPlanned ? { planned: true as const } : {}),
  };
  return actions.flatMap((action) => resources.map((resource) => ({ action, resource, ...details })));
}

/** What makes two rights the same: the same statement would give them. */
export function rightKey({ action, conditions = {}, placement = "always", resource }: SnapshotRight): string {
  return JSON.stringify([action, resource, conditions, placement]);
}
