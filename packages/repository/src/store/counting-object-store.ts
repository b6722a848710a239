import type { ObjectStore } from "./object-store.ts";

export interface StoreCounts {
  creates: number;
  reads: number;
  lists: number;
  deletes: number;
  bytesCreated: number;
  bytesRead: number;
}

/** Counts the calls that reach a store and the bytes that pass. */
export function openCountingObjectStore(store: ObjectStore): ObjectStore & { readonly counts: StoreCounts } {
  const counts = { creates: 0, reads: 0, lists: 0, deletes: 0, bytesCreated: 0, bytesRead: 0 };
  return {
    address: store.address,
    counts,
    async create(key, bytes, call) {
      counts.creates++;
      counts.bytesCreated += bytes.length;
      return store.create(key, bytes, call);
    },
    async read(key, call) {
      counts.reads++;
      const bytes = await store.read(key, call);
      counts.bytesRead += bytes.length;
      return bytes;
    },
    list(prefix, call) {
      counts.lists++;
      return store.list(prefix, call);
    },
    listFolders(prefix, call) {
      counts.lists++;
      return store.listFolders(prefix, call);
    },
    async delete(key, call) {
      counts.deletes++;
      await store.delete(key, call);
    },
  };
}
