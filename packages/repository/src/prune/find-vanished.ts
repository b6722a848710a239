import { isObjectError } from "../store/is-object-error.ts";
import type { SessionBase } from "../format/session-objects.ts";
import { readSlot, readTombstone } from "../point/read-slot.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { KnownSessions } from "./known-sessions.ts";
import type { PruneDependencies } from "./prune-plan.ts";
import { sessionKey } from "./session-sets.ts";
import type { Survey } from "./survey-sessions.ts";

/**
 * Restore points that an earlier catalogue or a later record knows and that are gone, or are not authentic any more,
 * without a tombstone. Whoever could delete records, or spoil them, could otherwise make our own prune delete the rest.
 */
export async function findVanished(
  pruner: PruneDependencies,
  seen: { readonly survey: Survey; readonly known: KnownSessions },
  call: StoreCall,
): Promise<readonly SessionBase[]> {
  const vanished: SessionBase[] = [];
  for (const suspect of listSuspects(seen.survey, seen.known)) {
    // Looked at again: it may have been ended and reclaimed since the listing, or have been committed behind it.
    if (await isThere(pruner, suspect, call)) continue;
    const { series, session } = suspect;
    if ((await readTombstone(pruner, suspect, call)) !== "signed") vanished.push({ series, session });
  }
  return vanished;
}

interface Suspect extends SessionBase {
  /** A pass has seen its record. A later record may name the slot of a session that never was a restore point. */
  readonly wasPoint: boolean;
}

/**
 * Whether the slot holds something of ours, and a record where there was one: whoever deletes it makes room for a fence.
 * Ids are made by clocks, so that a session may commit under a name that the listing has passed, and be seen by a later one
 * that is still before it.
 */
async function isThere(pruner: PruneDependencies, suspect: Suspect, call: StoreCall): Promise<boolean> {
  try {
    const slot = await readSlot(pruner, suspect, call);
    return suspect.wasPoint ? slot?.state === "point" : slot !== undefined;
  } catch (error) {
    if (isObjectError(error)) return false;
    throw error;
  }
}

function listSuspects(survey: Survey, known: KnownSessions): readonly Suspect[] {
  const suspects = new Map<string, Suspect>();
  const slotOf = (point: SessionBase) =>
    survey.slots.get(point.session)?.find((slot) => slot.series === point.series);
  for (const [key, point] of known.points) {
    if (slotOf(point)?.state !== "point") suspects.set(key, { ...point, wasPoint: true });
  }
  for (const slots of survey.slots.values()) {
    for (const slot of slots) {
      if (slot.state !== "point" || slot.point.predecessor === undefined) continue;
      const before = { series: slot.series, session: slot.point.predecessor, wasPoint: false };
      const key = sessionKey(before);
      const isListed = (slotOf(before)?.state ?? "gone") !== "gone";
      if (!isListed && !suspects.has(key)) suspects.set(key, before);
    }
  }
  return [...suspects.values()].sort((left, right) => (sessionKey(left) < sessionKey(right) ? -1 : 1));
}
