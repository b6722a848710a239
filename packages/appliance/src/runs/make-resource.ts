import { recordIntent, recordMade, type Intent, type MadeResource } from "../store/made-resources.ts";
import type { RunDependencies } from "./run-dependencies.ts";

/**
 * Makes one AWS resource so that it can't be forgotten: the intent is written before the call, the id after it. `make`
 * has to answer the same resource when it is called again with the same token.
 */
export async function makeResource(
  dependencies: Pick<RunDependencies, "queries" | "clock">,
  intent: Omit<Intent, "intendedAt">,
  make: () => Promise<string>,
): Promise<MadeResource & { readonly resourceId: string }> {
  const { queries, clock } = dependencies;
  const intended = await recordIntent(queries, { ...intent, intendedAt: new Date(clock.now()) });
  if (intended.resourceId !== undefined) return { ...intended, resourceId: intended.resourceId };
  const resourceId = await make();
  await recordMade(queries, intended.id, { resourceId, at: new Date(clock.now()) });
  return { ...intended, resourceId };
}
