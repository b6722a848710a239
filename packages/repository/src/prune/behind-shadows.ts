import { isDecisiveName } from "../format/object-names.ts";
import { openUnshadowedObjectStore } from "../store/unshadowed-object-store.ts";
import type { PruneDependencies } from "./prune-plan.ts";

/**
 * Where the store keeps versions, a keeper lists and deletes versions: a record under somebody's delete marker is still a
 * root, and what is deleted is gone.
 */
export function behindShadows(pruner: PruneDependencies): PruneDependencies {
  return { ...pruner, store: openUnshadowedObjectStore(pruner.store, { isDecisive: isDecisiveName }) };
}
