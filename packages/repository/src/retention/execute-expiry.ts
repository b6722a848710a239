import { endPoint } from "../keeper/end-session.ts";
import type { KeeperDependencies } from "../keeper/sign-object.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { ExpiryPlan } from "./plan-expiry.ts";

/** Ends the points of a plan, oldest first. Safe to repeat. Answers the ids of those that have ended. */
export async function executeExpiry(
  keeper: KeeperDependencies,
  plan: ExpiryPlan,
  call: StoreCall,
): Promise<readonly string[]> {
  const ending = plan.decisions.filter((decision) => decision.outcome === "end");
  const oldestFirst = ending.toSorted((left, right) => left.createdAtMs - right.createdAtMs);
  for (const { series, sessionId } of oldestFirst) await endPoint(keeper, { series, sessionId }, call);
  return oldestFirst.map((decision) => decision.sessionId);
}
