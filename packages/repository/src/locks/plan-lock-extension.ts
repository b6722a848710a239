import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { PackSet } from "../check/pack-set.ts";
import type { KeeperDependencies } from "../keeper/sign-object.ts";
import { lockForPromise } from "../point/lock-promise.ts";
import type { SlotAddress } from "../point/read-slot.ts";
import { readStoreTime } from "../prune/read-store-time.ts";
import type { ObjectVersions, StoreCall } from "../store/object-store.ts";
import { listLockable } from "./list-lockable.ts";
import { loadLockLedger, type LockEntry, type LockLedger } from "./lock-ledger.ts";
import { surveyReach, type PromisedPoint, type Reach } from "./survey-reach.ts";

export interface LockDependencies extends KeeperDependencies {
  readonly clock: Clock;
  readonly onProgress?: (progress: { readonly step: "read" | "prolong"; readonly done: number }) => void;
}

export interface HeldPoint {
  readonly session: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly promisedUntilMs: number;
  /** Until when everything that it consists of is locked: the least of it; 0 where something isn't locked at all. */
  readonly heldUntilMs: number;
}

/** One session whose locks end before a promise does. */
export interface LockExtension {
  readonly session: string;
  readonly promisedUntilMs: number;
  readonly untilMs: number;
  readonly packs: PackSet;
  /** Records of the session's own that promise something. */
  readonly records: readonly SlotAddress[];
}

export interface LockPlan {
  readonly storeTimeMs: number;
  /** Points whose promise isn't over. */
  readonly points: readonly HeldPoint[];
  /** Points that promise nothing, or nothing any more. */
  readonly unpromised: number;
  readonly extensions: readonly LockExtension[];
  /** Calls that the plan needs at most: one a pack. */
  readonly calls: number;
  readonly ledger: LockLedger;
  /** Locks that were asked for one by one, since no ledger knew them. */
  readonly locksRead: number;
}

const readsAtOnce = 8;

/**
 * Works out which locks have to be prolonged so that no promise is broken: those of sessions of which the ledger shows an
 * earlier date than some point promises that consists of them. Where the ledger doesn't know a pack, the session is read
 * back from its objects, one call each. Changes no lock. Throws `locks-unsupported` where the store has none.
 */
export async function planLockExtension(keeper: LockDependencies, call: StoreCall): Promise<LockPlan> {
  const versions = requireLocks(keeper);
  const storeTimeMs = await readStoreTime(keeper, call);
  const ledger = await loadLockLedger(keeper, call);
  const reach = await surveyReach(keeper, storeTimeMs, call);
  const sessions = new Map(ledger.sessions);
  const extensions: LockExtension[] = [];
  let locksRead = 0;
  for (const wanted of listWanted(reach)) {
    let entry = sessions.get(wanted.session);
    if (entry?.held?.packs.covers(wanted.packs) !== true) {
      const read = await readBack({ ...keeper, versions }, wanted, call);
      locksRead += read.count;
      entry = { ...read.entry, latestMs: Math.max(read.entry.latestMs, entry?.latestMs ?? 0) };
      sessions.set(wanted.session, entry);
    }
    if (entry.held!.leastMs < wanted.promisedUntilMs) extensions.push(wanted);
  }
  return {
    storeTimeMs,
    points: reach.promised.map((point) => heldPoint(point, sessions)),
    unpromised: reach.unpromised,
    extensions,
    calls: extensions.reduce((calls, each) => calls + countOf(each), 0),
    ledger: { ...ledger, sessions },
    locksRead,
  };
}

export function requireLocks({ store }: Pick<KeeperDependencies, "store">): ObjectVersions {
  if (store.versions?.lockMode !== undefined) return store.versions;
  throw new GarrisonError("locks-unsupported", `${store.address} has no locks to prolong`);
}

/** Sessions that a promise reaches, in their order. */
function* listWanted(reach: Reach): Generator<LockExtension> {
  for (const session of [...reach.promises.keys()].sort()) {
    const promisedUntilMs = reach.promises.get(session)!;
    const own = reach.promised.filter((point) => point.session === session);
    const records = own.map(({ series }) => ({ series, session }));
    const packs = reach.packs.get(session) ?? new PackSet();
    yield { session, promisedUntilMs, untilMs: lockForPromise(promisedUntilMs), packs, records };
  }
}

function countOf({ packs, records }: LockExtension): number {
  return [...packs].length + records.length;
}

async function readBack(
  owner: LockDependencies & { readonly versions: ObjectVersions },
  extension: LockExtension,
  call: StoreCall,
): Promise<{ readonly entry: LockEntry; readonly count: number }> {
  const options = { concurrency: readsAtOnce, signal: call.signal };
  const read = (version: Parameters<ObjectVersions["readRetention"]>[0]) =>
    owner.versions.readRetention(version, call);
  let [leastMs, latestMs, count] = [Number.MAX_SAFE_INTEGER, 0, 0];
  for await (const lock of mapConcurrent(listLockable(owner, extension, call), options, read)) {
    const untilMs = lock?.untilMs ?? 0;
    leastMs = Math.min(leastMs, untilMs);
    latestMs = Math.max(latestMs, untilMs);
    count++;
    owner.onProgress?.({ step: "read", done: count });
  }
  return { entry: { latestMs, held: { packs: extension.packs, leastMs: count === 0 ? 0 : leastMs } }, count };
}

function heldPoint(point: PromisedPoint, sessions: ReadonlyMap<string, LockEntry>): HeldPoint {
  const { session, name, createdAtMs, promisedUntilMs } = point;
  const dates = [...point.sessions].map((each) => sessions.get(each)?.held?.leastMs ?? 0);
  return { session, name, createdAtMs, promisedUntilMs, heldUntilMs: Math.min(...dates) };
}
