import { GarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import type { ObjectStore, StoreCall } from "./object-store.ts";

/**
 * Sees whether the store keeps the two promises that everything rests on: a second conditional creation is refused and
 * changes nothing, and a fresh object is listed at once. Throws `store-unsuitable`.
 */
export async function probeStore(
  dependencies: { readonly store: ObjectStore; readonly random: Random },
  call: StoreCall,
): Promise<void> {
  const { store } = dependencies;
  const key = `probe/${Buffer.from(dependencies.random.bytes(8)).toString("hex")}`;
  const bytes = Buffer.from("first");
  await store.create(key, bytes, call);
  const listed: string[] = [];
  for await (const object of store.list(key, call)) listed.push(object.key);
  if (!listed.includes(key)) throw unsuitable(store, "a fresh object is not listed at once");
  const second = await store.create(key, Buffer.from("other"), call);
  const kept = await store.read(key, call);
  if (second !== "exists" || Buffer.compare(kept, bytes) !== 0) {
    throw unsuitable(store, "a second conditional creation of one name is not refused");
  }
  // Where nothing may be deleted (locks), the five bytes stay.
  await store.delete(key, call).catch(() => undefined);
}

function unsuitable(store: ObjectStore, reason: string): GarrisonError {
  return new GarrisonError("store-unsuitable", `${store.address}: ${reason}`);
}
