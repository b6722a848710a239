import type { ObjectStore, StoreCall } from "./object-store.ts";

/**
 * Deletes an object so that nothing of it is left: where versions are kept, each of them. Throws `object-locked` when a
 * lock holds one.
 */
export async function deleteObject(store: ObjectStore, key: string, call: StoreCall): Promise<void> {
  if (store.versions === undefined) return store.delete(key, call);
  for await (const version of store.versions.list(key, call)) {
    if (version.key !== key) return;
    await store.versions.delete(version, call);
  }
}
