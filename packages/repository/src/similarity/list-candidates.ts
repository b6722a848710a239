import { parseSlotName, pointPrefix } from "../format/object-names.ts";
import type { SessionBase } from "../format/session-objects.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

/** Points whose hooks a session looks at. */
export const maxCandidates = 64;
/** The newest slots of a series that are kept: one may hold a fence instead of a point. */
const slotsPerSeries = 3;
/** Where the listing of a domain stops: 64 calls. Series are named by keyed hashes, so what it has seen is a fair sample. */
const maxSlotsListed = 64_000;

export interface CandidateWish {
  /** The session that asks. */
  readonly sessionId: string;
  /** The keyed hash of its series. */
  readonly series: string;
  /** Points that are likely to hold the same blocks (its parent, look-alikes by lineage), best first. */
  readonly named: readonly SessionBase[];
}

/**
 * Points to sample, best first, at most 64: the named ones, the newest of the session's own series, then the newest of
 * every other series of the domain by age. Each comes with the points to take in its stead when it turns out to be none.
 */
export async function listCandidates(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  wish: CandidateWish,
  call: StoreCall,
): Promise<readonly (readonly SessionBase[])[]> {
  const newest = await listNewest(dependencies, wish, call);
  const named = new Set(wish.named.map(({ session }) => session));
  const groups = [...newest].map(([series, sessions]) =>
    sessions.filter((session) => !named.has(session)).map((session) => ({ series, session })),
  );
  const byAge = groups.filter((group) => group.length > 0).sort(compareGroups(wish.series));
  return [...wish.named.map((point) => [point]), ...byAge].slice(0, maxCandidates);
}

/** For each series its newest slots, newest first. */
async function listNewest(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  wish: CandidateWish,
  call: StoreCall,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const newest = new Map<string, string[]>();
  let listed = 0;
  for await (const object of dependencies.store.list(pointPrefix(dependencies.keys.domain), call)) {
    if (++listed > maxSlotsListed) break;
    const slot = parseSlotName(object.key);
    if (slot === undefined || slot.session === wish.sessionId) continue;
    const sessions = newest.get(slot.series) ?? [];
    newest.set(slot.series, sessions);
    sessions.unshift(slot.session);
    if (sessions.length > slotsPerSeries) sessions.pop();
  }
  return newest;
}

function compareGroups(ownSeries: string) {
  return (left: readonly SessionBase[], right: readonly SessionBase[]): number => {
    const [a, b] = [left[0]!, right[0]!];
    if ((a.series === ownSeries) !== (b.series === ownSeries)) return a.series === ownSeries ? -1 : 1;
    return a.session < b.session ? 1 : -1;
  };
}
