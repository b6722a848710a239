import { isGarrisonError } from "@garrison/core/garrison-error";
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
    if (await isFilled(pruner, suspect, call)) continue;
    if ((await readTombstone(pruner, suspect, call)) !== "signed") vanished.push(suspect);
  }
  return vanished;
}

/**
 * Whether the slot holds something of ours. Ids are made by clocks, so that a session may commit under a name that the
 * listing has passed, and be seen by a later one that is still before it.
 */
async function isFilled(pruner: PruneDependencies, suspect: SessionBase, call: StoreCall): Promise<boolean> {
  try {
    return (await readSlot(pruner, suspect, call)) !== undefined;
  } catch (error) {
    if (isGarrisonError(error) && error.code.startsWith("object-")) return false;
    throw error;
  }
}

function listSuspects(survey: Survey, known: KnownSessions): readonly SessionBase[] {
  const suspects = new Map<string, SessionBase>();
  const slotOf = (point: SessionBase) =>
    survey.slots.get(point.session)?.find((slot) => slot.series === point.series);
  for (const [key, point] of known.points) {
    if (slotOf(point)?.state !== "point") suspects.set(key, point);
  }
  for (const slots of survey.slots.values()) {
    for (const slot of slots) {
      if (slot.state !== "point" || slot.point.predecessor === undefined) continue;
      const before = { series: slot.series, session: slot.point.predecessor };
      if (slotOf(before) === undefined) suspects.set(sessionKey(before), before);
    }
  }
  return [...suspects.values()].sort((left, right) => (sessionKey(left) < sessionKey(right) ? -1 : 1));
}
