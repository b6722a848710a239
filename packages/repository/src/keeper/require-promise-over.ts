import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { SessionBase } from "../format/session-objects.ts";
import { readSlot } from "../point/read-slot.ts";
import { readStoreTime } from "../prune/read-store-time.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { KeeperDependencies } from "./sign-object.ts";

/**
 * Throws `point-promised` when a restore point was made with the promise that nobody can delete it, and the date has not
 * come. A keeper's clock may be wrong: only when both it and the store's own say that the promise is over, it is.
 */
export async function requirePromiseOver(
  keeper: KeeperDependencies & { readonly clock: Clock },
  slot: SessionBase,
  call: StoreCall,
): Promise<void> {
  const content = await readSlot(keeper, slot, call);
  const untilMs = content?.state === "point" ? content.record.promisedUntilMs : undefined;
  if (untilMs === undefined) return;
  const isOver = keeper.clock.now() >= untilMs && (await readStoreTime(keeper, call)) >= untilMs;
  if (isOver) return;
  const message = `restore point ${slot.session} is held until ${new Date(untilMs).toISOString()}: that was promised`;
  throw new GarrisonError("point-promised", message, { details: { heldUntilMs: untilMs } });
}
