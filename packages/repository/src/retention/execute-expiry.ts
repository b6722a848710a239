import type { Clock } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { endPoint, type SessionAddress } from "../keeper/end-session.ts";
import type { KeeperDependencies } from "../keeper/sign-object.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { ExpiryPlan } from "./plan-expiry.ts";

type Expirer = KeeperDependencies & { readonly clock: Clock };

/**
 * Ends the points of a plan, oldest first. Safe to repeat. Answers the ids of those that have ended: one whose promise
 * turns out not to be over, by the store's clock, is left for a later time.
 */
export async function executeExpiry(
  keeper: Expirer,
  plan: ExpiryPlan,
  call: StoreCall,
): Promise<readonly string[]> {
  const ending = plan.decisions.filter((decision) => decision.outcome === "end");
  const ended: string[] = [];
  for (const { series, sessionId } of ending.toSorted((a, b) => a.createdAtMs - b.createdAtMs))
    if (await endUnlessPromised(keeper, { series, sessionId }, call)) ended.push(sessionId);
  return ended;
}

async function endUnlessPromised(
  keeper: Expirer,
  address: SessionAddress,
  call: StoreCall,
): Promise<boolean> {
  try {
    await endPoint(keeper, address, call);
    return true;
  } catch (error) {
    if (isGarrisonError(error, "point-promised")) return false;
    throw error;
  }
}
