import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

/** What the store's own clock says: ages of objects are only ever compared with that. */
export async function readStoreTime(
  { store, random }: { readonly store: ObjectStore; readonly random: Random },
  call: StoreCall,
): Promise<number> {
  const key = `probe/${Buffer.from(random.bytes(8)).toString("hex")}`;
  await store.create(key, Buffer.from("clock"), call);
  for await (const object of store.list(key, call)) {
    // Where nothing may be deleted (locks), the five bytes stay.
    await store.delete(key, call).catch(() => undefined);
    return object.modifiedMs;
  }
  throw new GarrisonError("store-unsuitable", `${store.address}: a fresh object is not listed at once`);
}
