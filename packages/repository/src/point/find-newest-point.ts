import { dayMs } from "@garrison/core/units";
import type { Clock } from "@garrison/core/clock";
import { endPrefix, parseSlotName, pointPrefix, seriesHash } from "../format/object-names.ts";
import type { StoreCall } from "../store/object-store.ts";
import { readListedPoint, type ListDependencies } from "./list-points.ts";
import type { RestorePoint } from "./read-point.ts";
import { readTombstone, type SlotAddress } from "./read-slot.ts";

/** How far back is looked, each time that nothing was found; then from the beginning. */
const spansMs = [1, 8, 64, 512].map((days) => days * dayMs);

/**
 * The newest restore point of a series, or nothing. Ids sort by time, so the listing starts near the end: one call for a
 * series that is backed up daily, whatever its length. A clock that is wrong costs calls, never the right answer.
 */
export async function findNewestPoint(
  dependencies: ListDependencies & { readonly clock: Pick<Clock, "now"> },
  series: string,
  call: StoreCall,
): Promise<RestorePoint | undefined> {
  const hash = seriesHash(dependencies.keys, series);
  const now = dependencies.clock.now();
  let before: string | undefined;
  for (const first of [...spansMs.map((span) => firstIdAt(now - span)), ""]) {
    const slots = await listBetween(dependencies, { series: hash, first, before }, call);
    for (const slot of slots.reverse()) {
      if (slot.isMarked && (await readTombstone(dependencies, slot, call)) === "signed") continue;
      const point = await readListedPoint(dependencies, slot, call);
      if (point !== undefined) return point;
    }
    before = first;
  }
  return undefined;
}

/** A session id that sorts before all of this second. */
function firstIdAt(timeMs: number): string {
  const seconds = Math.max(0, Math.floor(timeMs / 1000));
  return `${seconds.toString(16).padStart(10, "0")}000000`;
}

interface Span {
  readonly series: string;
  readonly first: string;
  /** Sessions from this one on have been looked at. */
  readonly before: string | undefined;
}

/** Slots of the span, oldest first, and whether something says that they have ended. */
async function listBetween(
  dependencies: ListDependencies,
  span: Span,
  call: StoreCall,
): Promise<(SlotAddress & { readonly isMarked: boolean })[]> {
  const { keys } = dependencies;
  const list = async (prefix: string): Promise<string[]> => {
    const sessions: string[] = [];
    for await (const { key } of dependencies.store.list(prefix, {
      ...call,
      startAfter: prefix + span.first,
    })) {
      const session = parseSlotName(key)?.session;
      if (session !== undefined && span.before !== undefined && session > span.before) break;
      if (session !== undefined) sessions.push(session);
    }
    return sessions;
  };
  const sessions = await list(pointPrefix(keys.domain, span.series));
  if (sessions.length === 0) return [];
  const ended = new Set(await list(endPrefix(keys.domain, span.series)));
  return sessions.map((session) => ({ series: span.series, session, isMarked: ended.has(session) }));
}
