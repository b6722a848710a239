import { isGarrisonError } from "@garrison/core/garrison-error";
import type { ObjectStore, StoreCall } from "./object-store.ts";

/**
 * An object's bytes, or nothing. Absence is established by a listing of the exact name: without list rights a store may
 * answer "denied" for it. An object that goes between the listing and the reading is absent, too.
 */
export async function readIfThere(
  store: ObjectStore,
  name: string,
  call: StoreCall,
): Promise<Uint8Array | undefined> {
  if (!(await isListed(store, name, call))) return undefined;
  try {
    return await store.read(name, call);
  } catch (error) {
    if (isGarrisonError(error, "object-missing")) return undefined;
    throw error;
  }
}

/** Whether there is an object of exactly this name. */
export async function isListed(store: ObjectStore, name: string, call: StoreCall): Promise<boolean> {
  // The first one where listings are sorted; some stores list in no order.
  for await (const object of store.list(name, call)) if (object.key === name) return true;
  return false;
}
