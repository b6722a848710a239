import type { PackSet } from "../check/pack-set.ts";
import {
  forwardPrefix,
  packName,
  packPrefix,
  parseForwardName,
  parsePackName,
  pointName,
  type PackKind,
} from "../format/object-names.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { SlotAddress } from "../point/read-slot.ts";
import { gatherVersions } from "../store/gather-versions.ts";
import type { ObjectVersions, StoreCall, VersionName } from "../store/object-store.ts";

/** What of a session has to stay: its packs that points reach, and the records of its own promised points. */
export interface LockedReach {
  readonly session: string;
  readonly packs: PackSet;
  readonly records: readonly SlotAddress[];
}

const kinds: readonly PackKind[] = ["pack", "map"];

/**
 * The versions of a session that locks have to hold: ours, the first of each key. Of packs that were moved
 * or repaired, also the forwards and what they lead to.
 */
export async function* listLockable(
  owner: { readonly versions: ObjectVersions; readonly keys: DomainKeys },
  reach: LockedReach,
  call: StoreCall,
): AsyncGenerator<VersionName> {
  const { domain } = owner.keys;
  for (const slot of reach.records)
    yield* firstVersions(owner, pointName(domain, slot.series, slot.session), call);
  const { packs } = reach;
  for (const kind of kinds) {
    for await (const version of firstVersions(owner, packPrefix(domain, kind, reach.session), call)) {
      const pack = parsePackName(version.key);
      if (pack !== undefined && packs.has(pack)) yield version;
    }
    for await (const version of firstVersions(owner, forwardPrefix(domain, kind, reach.session), call)) {
      const forward = parseForwardName(version.key);
      if (forward === undefined || !packs.has({ kind, ...forward.origin })) continue;
      yield version;
      yield* firstVersions(owner, packName(domain, kind, forward.target), call);
    }
  }
}

async function* firstVersions(
  owner: { readonly versions: ObjectVersions },
  prefix: string,
  call: StoreCall,
): AsyncGenerator<VersionName> {
  const isExact = !prefix.endsWith("/");
  for await (const { first } of gatherVersions(owner.versions.list(prefix, { signal: call.signal }))) {
    if (first === undefined) continue;
    if (isExact && first.key !== prefix) return;
    yield { key: first.key, versionId: first.versionId };
  }
}
