import type { Finding } from "../check/check-plan.ts";
import {
  forwardPrefix,
  packName,
  parseForwardName,
  type ForwardName,
  type PackKind,
  type PackName,
} from "../format/object-names.ts";
import type { PackUse } from "../format/pack-table.ts";
import { isListed } from "../store/read-if-there.ts";
import type { StoreCall } from "../store/object-store.ts";
import { originKey } from "./find-survivors.ts";
import type { PruneDependencies } from "./prune-plan.ts";
import { isReclaimed, listRootVolumes, readTables, tablePackUses } from "./read-tables.ts";
import type { PointFacts } from "./survey-sessions.ts";

type KindOfPack = PackName & { readonly kind: PackKind };

export interface LossSuspects {
  /** Tables mention these, and they were not listed. */
  readonly mentioned: readonly KindOfPack[];
  /** Forwards lead to these, and they were not listed. */
  readonly targets: readonly KindOfPack[];
  readonly roots: readonly PointFacts[];
}

/**
 * Looks once more, as a reader does, before it calls a pack lost: other passes may have moved it, or have reclaimed the
 * points that needed it, since the listings.
 */
export async function confirmLosses(
  pruner: PruneDependencies,
  suspects: LossSuspects,
  call: StoreCall,
): Promise<readonly Finding[]> {
  const lost: Finding[] = [];
  const gone = [];
  for (const pack of suspects.mentioned) if (!(await isFound(pruner, { pack }, call))) gone.push(pack);
  const keys = new Set(gone.map((pack) => originKey(pack.kind, pack)));
  const needed = await stillMentioned(pruner, { roots: suspects.roots, keys }, call);
  for (const pack of gone) {
    if (!needed.has(originKey(pack.kind, pack))) continue;
    lost.push(lossOf(pruner, pack, "restore points refer to this pack, and it is not there"));
  }
  const targets = new Map(suspects.targets.map((target) => [originKey(target.kind, target), target]));
  for (const forward of await listLeading(pruner, targets, call)) {
    const origin = { ...forward.origin, kind: forward.kind };
    if (await isFound(pruner, { pack: origin, apartFrom: forward }, call)) continue;
    const target = { ...forward.target, kind: forward.kind };
    lost.push(lossOf(pruner, target, "items were moved to this pack, and it is not there"));
  }
  return lost;
}

function lossOf(pruner: PruneDependencies, pack: KindOfPack, message: string): Finding {
  const key = packName(pruner.keys.domain, pack.kind, pack);
  return { severity: "damage", code: "object-missing", key, message };
}

/** Whether a pack is there, or a forward leads to one that is. */
async function isFound(
  pruner: PruneDependencies,
  wanted: { readonly pack: KindOfPack; readonly apartFrom?: ForwardName },
  call: StoreCall,
): Promise<boolean> {
  const { store, keys } = pruner;
  const { pack, apartFrom } = wanted;
  const name = packName(keys.domain, pack.kind, pack);
  if (await isListed(store, name, call)) return true;
  const folder = `${forwardPrefix(keys.domain, pack.kind, pack.session)}${name.slice(name.lastIndexOf("/") + 1)}/`;
  for await (const object of store.list(folder, call)) {
    const forward = parseForwardName(object.key);
    if (forward === undefined) continue;
    const isSame = apartFrom !== undefined && targetKey(forward) === targetKey(apartFrom);
    if (!isSame && (await isListed(store, packName(keys.domain, forward.kind, forward.target), call)))
      return true;
  }
  return false;
}

function targetKey(forward: ForwardName): string {
  return originKey(forward.kind, forward.target);
}

/** Which of the packs the tables of roots mention that have not been reclaimed since. */
async function stillMentioned(
  pruner: PruneDependencies,
  wanted: { readonly roots: readonly PointFacts[]; readonly keys: ReadonlySet<string> },
  call: StoreCall,
): Promise<ReadonlySet<string>> {
  const mentioned = new Set<string>();
  if (wanted.keys.size === 0) return mentioned;
  const left: PointFacts[] = [];
  for (const root of wanted.roots) if (!(await isReclaimed(pruner, root, call))) left.push(root);
  const note = (use: PackUse) => {
    const key = originKey(use.kind, use);
    if (wanted.keys.has(key)) mentioned.add(key);
  };
  for await (const table of readTables(pruner, listRootVolumes(left), call)) await table.tell(note);
  for (const root of left) for (const use of tablePackUses(root).uses("map")) note(use);
  return mentioned;
}

/** Forwards that are still there and lead to one of the targets. */
async function listLeading(
  pruner: PruneDependencies,
  targets: ReadonlyMap<string, KindOfPack>,
  call: StoreCall,
): Promise<readonly ForwardName[]> {
  const leading: ForwardName[] = [];
  if (targets.size === 0) return leading;
  for (const kind of ["pack", "map"] as const) {
    for await (const object of pruner.store.list(forwardPrefix(pruner.keys.domain, kind), call)) {
      const forward = parseForwardName(object.key);
      if (forward !== undefined && targets.has(targetKey(forward))) leading.push(forward);
    }
  }
  return leading;
}
