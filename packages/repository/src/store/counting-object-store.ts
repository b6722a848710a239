import type { ObjectStore, ObjectVersions } from "./object-store.ts";

export interface StoreCounts {
  creates: number;
  reads: number;
  lists: number;
  deletes: number;
  /** Readings and extensions of locks. */
  locks: number;
  bytesCreated: number;
  bytesRead: number;
}

/** Counts the calls that reach a store and the bytes that pass. */
export function openCountingObjectStore(store: ObjectStore): ObjectStore & { readonly counts: StoreCounts } {
  const counts = {
    creates: 0,
    reads: 0,
    lists: 0,
    deletes: 0,
    locks: 0,
    bytesCreated: 0,
    bytesRead: 0,
  };
  return {
    address: store.address,
    counts,
    async create(key, bytes, call) {
      counts.creates++;
      counts.bytesCreated += bytes.length;
      return store.create(key, bytes, call);
    },
    read: (key, call) => countRead(counts, () => store.read(key, call)),
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
    ...(store.versions === undefined ? {} : { versions: countVersions(counts, store.versions) }),
  };
}

function countVersions(counts: StoreCounts, versions: ObjectVersions): ObjectVersions {
  return {
    ...versions,
    list(prefix, call) {
      counts.lists++;
      return versions.list(prefix, call);
    },
    listFolders(prefix, call) {
      counts.lists++;
      return versions.listFolders(prefix, call);
    },
    read: (version, call) => countRead(counts, () => versions.read(version, call)),
    async delete(version, call) {
      counts.deletes++;
      await versions.delete(version, call);
    },
    async readRetention(version, call) {
      counts.locks++;
      return versions.readRetention(version, call);
    },
    async extendRetention(version, untilMs, call) {
      counts.locks++;
      await versions.extendRetention(version, untilMs, call);
    },
  };
}

async function countRead(counts: StoreCounts, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
  counts.reads++;
  const bytes = await read();
  counts.bytesRead += bytes.length;
  return bytes;
}
