import {
  rightKey,
  type CatalogueSnapshot,
  type SnapshotRight,
  type SnapshotRole,
} from "./catalogue-snapshot.ts";

/** A right on the same action and resource whose conditions or placement are others now. */
export interface ChangedRight {
  readonly before: SnapshotRight;
  readonly after: SnapshotRight;
}

export interface RoleDiff {
  readonly role: string;
  readonly change: "new" | "gone" | "changed";
  readonly trustsAdded: readonly string[];
  readonly trustsDropped: readonly string[];
  readonly instanceProfile?: { readonly before: boolean; readonly after: boolean };
  readonly added: readonly SnapshotRight[];
  readonly dropped: readonly SnapshotRight[];
  readonly changed: readonly ChangedRight[];
  /** Planned before, used now: a role that was written without them needs them from now on. */
  readonly nowUsed: readonly SnapshotRight[];
}

export interface CatalogueDiff {
  readonly from: string;
  readonly to: string;
  /** Only roles in which something differs. */
  readonly roles: readonly RoleDiff[];
}

const noRole: SnapshotRole = { trusts: [], instanceProfile: false, rights: [] };

/** What the second release adds to and drops from the first, role by role, in the order of the roles. */
export function diffCatalogues(from: CatalogueSnapshot, to: CatalogueSnapshot): CatalogueDiff {
  const ids = [...new Set([...Object.keys(to.roles), ...Object.keys(from.roles)])];
  const roles = ids.map((id) => diffRole(id, from.roles[id], to.roles[id])).filter(isDifferent);
  return { from: from.version, to: to.version, roles };
}

function diffRole(role: string, before: SnapshotRole | undefined, after: SnapshotRole | undefined): RoleDiff {
  const [old, current] = [before ?? noRole, after ?? noRole];
  const change = before === undefined ? "new" : after === undefined ? "gone" : "changed";
  const gone = without(old.rights, current.rights);
  const come = without(current.rights, old.rights);
  const changed = pairUp(gone, come);
  const isPaired = (right: SnapshotRight) =>
    changed.some((pair) => pair.before === right || pair.after === right);
  const wasPlanned = new Set(old.rights.filter(({ planned }) => planned === true).map(rightKey));
  return {
    role,
    change,
    trustsAdded: current.trusts.filter((one) => !old.trusts.includes(one)),
    trustsDropped: old.trusts.filter((one) => !current.trusts.includes(one)),
    ...(old.instanceProfile === current.instanceProfile
      ? {}
      : { instanceProfile: { before: old.instanceProfile, after: current.instanceProfile } }),
    added: come.filter((right) => !isPaired(right)),
    dropped: gone.filter((right) => !isPaired(right)),
    changed,
    nowUsed: current.rights.filter((right) => right.planned !== true && wasPlanned.has(rightKey(right))),
  };
}

function without(
  rights: readonly SnapshotRight[],
  others: readonly SnapshotRight[],
): readonly SnapshotRight[] {
  const known = new Set(others.map(rightKey));
  return rights.filter((right) => !known.has(rightKey(right)));
}

function pairUp(gone: readonly SnapshotRight[], come: readonly SnapshotRight[]): readonly ChangedRight[] {
  const free = [...come];
  return gone.flatMap((before) => {
    const index = free.findIndex(
      ({ action, resource }) => action === before.action && resource === before.resource,
    );
    const [after] = index < 0 ? [] : free.splice(index, 1);
    return after === undefined ? [] : [{ before, after }];
  });
}

function isDifferent(diff: RoleDiff): boolean {
  const lists = [diff.trustsAdded, diff.trustsDropped, diff.added, diff.dropped, diff.changed, diff.nowUsed];
  return (
    diff.change !== "changed" || diff.instanceProfile !== undefined || lists.some(({ length }) => length > 0)
  );
}
