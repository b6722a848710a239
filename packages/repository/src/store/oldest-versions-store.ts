import { GarrisonError } from "@garrison/core/garrison-error";
import type { ObjectStore, ObjectVersions, StoreCall, StoredVersion } from "./object-store.ts";

/**
 * A versioned store as it was before anybody overwrote or hid anything in it: we create each key once, so that its oldest
 * version is ours. For reading only.
 */
export function openOldestVersions(store: ObjectStore, versions: ObjectVersions): ObjectStore {
  return {
    ...store,
    create: (...call) => store.create(...call),
    delete: (...call) => store.delete(...call),
    listFolders: (...call) => store.listFolders(...call),
    list: (prefix, call) => listOldest(versions, prefix, call),
    async read(key, call) {
      for await (const oldest of listOldest(versions, key, call)) {
        if (oldest.key === key) return versions.read(oldest, call);
        break;
      }
      throw new GarrisonError("object-missing", `no version of ${key} is there`);
    },
  };
}

async function* listOldest(
  versions: ObjectVersions,
  prefix: string,
  call: StoreCall,
): AsyncGenerator<StoredVersion> {
  let oldest: StoredVersion | undefined;
  for await (const version of versions.list(prefix, call)) {
    if (oldest !== undefined && oldest.key !== version.key) yield oldest;
    if (oldest?.key !== version.key) oldest = undefined;
    if (!version.isDeleteMarker) oldest = version;
  }
  if (oldest !== undefined) yield oldest;
}
