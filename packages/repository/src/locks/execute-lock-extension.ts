import { isGarrisonError } from "@garrison/core/garrison-error";
import { forEachConcurrent } from "@garrison/core/map-concurrent";
import type { ObjectVersions, StoreCall, VersionName } from "../store/object-store.ts";
import { listLockable } from "./list-lockable.ts";
import { noteLocks, type LockEntry } from "./lock-ledger.ts";
import {
  requireLocks,
  type LockDependencies,
  type LockExtension,
  type LockPlan,
} from "./plan-lock-extension.ts";

export interface LockSummary {
  readonly sessions: number;
  /** Objects whose lock was asked to be longer. */
  readonly locksProlonged: number;
  /** Objects that were there when they were listed, and then not. */
  readonly missing: readonly string[];
}

const callsAtOnce = 8;

/**
 * Prolongs what a plan says and notes it. It may be stopped at any call: what it has done by then is found again by
 * reading it back. Dates never sink, so a late or repeated plan does no harm.
 */
export async function executeLockExtension(
  keeper: LockDependencies,
  plan: LockPlan,
  call: StoreCall,
): Promise<LockSummary> {
  const versions = requireLocks(keeper);
  const sessions = new Map(plan.ledger.sessions);
  const missing: string[] = [];
  let locksProlonged = 0;
  const prolong = async (version: VersionName, untilMs: number) => {
    const isThere = await extendIfThere(versions, { version, untilMs }, call);
    if (!isThere) missing.push(version.key);
    locksProlonged++;
    keeper.onProgress?.({ step: "prolong", done: locksProlonged });
  };
  for (const extension of plan.extensions) {
    const options = { concurrency: callsAtOnce, signal: call.signal };
    const lockable = listLockable({ ...keeper, versions }, extension, call);
    await forEachConcurrent(lockable, options, (version) => prolong(version, extension.untilMs));
    sessions.set(extension.session, entryAfter(extension, sessions.get(extension.session)));
  }
  dropUnlocked(sessions, plan);
  if (plan.extensions.length > 0 || plan.locksRead > 0)
    await noteLocks(keeper, { sessions, notes: plan.ledger.notes }, call);
  return { sessions: plan.extensions.length, locksProlonged: locksProlonged - missing.length, missing };
}

async function extendIfThere(
  versions: ObjectVersions,
  lock: { readonly version: VersionName; readonly untilMs: number },
  call: StoreCall,
): Promise<boolean> {
  try {
    await versions.extendRetention(lock.version, lock.untilMs, call);
    return true;
  } catch (error) {
    if (isGarrisonError(error, "object-missing")) return false;
    throw error;
  }
}

function entryAfter({ untilMs, packs }: LockExtension, before: LockEntry | undefined): LockEntry {
  return { held: { packs, leastMs: untilMs }, latestMs: Math.max(untilMs, before?.latestMs ?? 0) };
}

/** What isn't locked any more need not be remembered: it would be read back as such. */
function dropUnlocked(sessions: Map<string, LockEntry>, plan: LockPlan): void {
  for (const [session, entry] of sessions) if (entry.latestMs <= plan.storeTimeMs) sessions.delete(session);
}
