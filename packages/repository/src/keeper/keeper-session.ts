import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { encodeForward, type ForwardedItem } from "../format/forward.ts";
import { forwardName, openName, pointName, seriesHash, type ForwardName } from "../format/object-names.ts";
import { encodeObject } from "../format/sealed-object.ts";
import { encodeKeeperOpen, encodeMoves, type MarkPack, type SessionBase } from "../format/session-objects.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { readSlot } from "../point/read-slot.ts";
import { newLaneId, newSessionId } from "../point/session-id.ts";
import type { CreateOutcome, StoreCall } from "../store/object-store.ts";
import { signObject, type KeeperDependencies } from "./sign-object.ts";

/**
 * A session of the keeper's own: a prune's moves, or a repair. It is opened before anything bears its name, and what it
 * does counts once its slot holds `moves`; until then it can be fenced like any other. `bases` are points that must stay
 * until it ends; whoever names one shakes hands with it afterwards.
 */
export interface KeeperSession {
  readonly sessionId: string;
  readonly laneId: string;
  /** The keyed hash of the one series that all such sessions are in. */
  readonly series: string;
}

// No resource can have this name: it begins with a zero byte.
export const movesSeries = "\0moves";

export function movesSeriesHash(keys: Pick<DomainKeys, "epochs">): string {
  return seriesHash(keys, movesSeries);
}

/** `after`: a session whose forwards this one's are to beat. */
export async function openKeeperSession(
  keeper: KeeperDependencies & { readonly clock: Clock },
  wanted: { readonly bases: readonly SessionBase[]; readonly after?: string },
  call: StoreCall,
): Promise<KeeperSession> {
  const { keys, random, store } = keeper;
  const series = movesSeriesHash(keys);
  const body = encodeKeeperOpen({ kind: "moves", series, bases: wanted.bases });
  for (;;) {
    const sessionId = newSessionId(keeper, wanted.after);
    const name = openName(keys.domain, sessionId);
    const bytes = encodeObject(keys, random, { name, kind: "open", body });
    const outcome = await store.create(name, bytes, call);
    // A lost answer looks like an id that is taken.
    const isOurs = outcome === "created" || Buffer.compare(await store.read(name, call), bytes) === 0;
    if (isOurs) return { sessionId, laneId: newLaneId(random), series };
  }
}

/**
 * Stores a forward. Whatever it points to is stored by now. `exists`: this target has one for this pack already, which a
 * mover takes for an earlier try of its own, and a repair has to read.
 */
export async function storeForward(
  keeper: KeeperDependencies,
  forward: ForwardName & { readonly items: readonly ForwardedItem[] },
  call: StoreCall,
): Promise<CreateOutcome> {
  const name = forwardName(keeper.keys.domain, forward);
  const body = encodeForward(forward.items);
  return keeper.store.create(name, signObject(keeper, { name, kind: "forward", body }), call);
}

/** Fills the slot: from now on the session's forwards count. Throws `session-fenced` when it was declared dead before. */
export async function commitMoves(
  keeper: KeeperDependencies,
  committed: { readonly session: KeeperSession; readonly packs: readonly MarkPack[] },
  call: StoreCall,
): Promise<void> {
  const { keys, store } = keeper;
  const { series, sessionId: session } = committed.session;
  const name = pointName(keys.domain, series, session);
  const body = encodeMoves({ session, packs: committed.packs });
  if ((await store.create(name, signObject(keeper, { name, kind: "moves", body }), call)) === "created")
    return;
  if ((await readSlot(keeper, { series, session }, call))?.state === "moves") return;
  throw new GarrisonError("session-fenced", `session ${session} of moves has been declared dead`);
}
