import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ObjectStore } from "@garrison/repository/store/object-store";
import { parseSpan } from "./parse-span.ts";

/** The date that `--keep-locked` promises. A store that can't keep the promise is refused, not silently used. */
export function promiseOf(
  keepLocked: string | undefined,
  { store, clock }: { readonly store: ObjectStore; readonly clock: Clock },
): { readonly promisedUntilMs?: number } {
  if (keepLocked === undefined) return {};
  const spanMs = parseSpan(keepLocked, "--keep-locked");
  if (spanMs === 0) throw new GarrisonError("usage", "--keep-locked 0 promises nothing: leave it away");
  if (store.versions?.lockMode === undefined)
    throw new GarrisonError("locks-unsupported", `${store.address} can't lock what --keep-locked promises`);
  return { promisedUntilMs: clock.now() + spanMs };
}
