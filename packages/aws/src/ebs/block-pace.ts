import type { Clock } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { AdaptiveRate } from "./adaptive-rate.ts";

/** How fast blocks are read and written. Shared by all who draw on one account's quota in a Region. */
export interface BlockPace {
  /**
   * Makes the call when it is its turn, and learns from how it ends; what it throws is thrown on. Snapshots that are
   * worked on at the same time get equal parts of the rate.
   */
  run<Result>(snapshotId: string, signal: AbortSignal, call: () => Promise<Result>): Promise<Result>;
}

export interface BlockPaceLimits {
  /** Calls a second for the account, at most. */
  readonly perSecond?: number;
  /** Calls a second for one snapshot, at most. */
  readonly perSecondOfSnapshot?: number;
}

/**
 * AWS allows 1,000 a second for each of account (can be raised) and snapshot (can't), for reading and writing
 * separately: a fifth is left to whatever else the customer does with them.
 */
const defaultPerSecond = 800;
/** Rates of snapshots that were worked on last; a volume has one, and few are worked on at the same time. */
const keptSnapshots = 256;

/** Two adaptive rates one behind the other, each slowed down by its own kind of refusal. */
export function openBlockPace(clock: Clock, limits: BlockPaceLimits = {}): BlockPace {
  const perSecond = limits.perSecond ?? defaultPerSecond;
  const ofSnapshot = Math.min(limits.perSecondOfSnapshot ?? defaultPerSecond, perSecond);
  const account = new AdaptiveRate(clock, { ceilingPerSecond: perSecond });
  const snapshots = new Map<string, AdaptiveRate>();

  function rateOf(snapshotId: string): AdaptiveRate {
    const rate = snapshots.get(snapshotId) ?? new AdaptiveRate(clock, { ceilingPerSecond: ofSnapshot });
    snapshots.delete(snapshotId);
    snapshots.set(snapshotId, rate);
    if (snapshots.size > keptSnapshots) snapshots.delete(snapshots.keys().next().value!);
    return rate;
  }

  return {
    async run(snapshotId, signal, call) {
      const snapshot = rateOf(snapshotId);
      const snapshotTurn = await snapshot.take(snapshotId, signal);
      const accountTurn = await account.take(snapshotId, signal);
      try {
        const result = await call();
        snapshot.succeeded();
        account.succeeded();
        return result;
      } catch (error) {
        if (isGarrisonError(error, "aws-throttled")) {
          if (error.details["reason"] === "RESOURCE_LEVEL_THROTTLE") snapshot.throttled(snapshotTurn);
          else account.throttled(accountTurn);
        }
        throw error;
      }
    },
  };
}
