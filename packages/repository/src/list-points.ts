import { GarrisonError } from "@garrison/core/garrison-error";
import type { DomainKeys } from "./keys.ts";
import type { ObjectStore, StoreCall } from "./object-store.ts";
import type { RestorePoint } from "./read-point.ts";

/**
 * Committed restore points of the domain (or of one series), oldest first within a series. Ended, fenced, given-up and
 * uncommitted sessions are never listed; a record that is not authentic is skipped (`checkRepository` names it).
 */
export async function listPoints(
  _dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  _filter: { readonly series?: string },
  _call: StoreCall,
): Promise<readonly RestorePoint[]> {
  throw new GarrisonError("internal", "listing points is not wired yet");
}
