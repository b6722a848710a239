import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { ObjectStore } from "../store/object-store.ts";

/**
 * The store as the maps of a parent restore point are read through it: an object that is gone or cut short there makes the
 * parent unusable, which the caller can answer by reading in full. It is no failure of the session's own objects.
 */
export function openParentStore(store: ObjectStore): ObjectStore {
  return {
    ...(store.versions === undefined ? {} : { versions: store.versions }),
    address: store.address,
    create: (...call) => store.create(...call),
    list: (...call) => store.list(...call),
    listFolders: (...call) => store.listFolders(...call),
    delete: (...call) => store.delete(...call),
    read: async (key, call) => {
      try {
        return await store.read(key, call);
      } catch (error) {
        const isLost = isGarrisonError(error, "object-missing") || isGarrisonError(error, "object-truncated");
        if (!isLost) throw error;
        throw new GarrisonError("parent-unusable", `the parent restore point has lost ${key}`, {
          cause: error,
        });
      }
    },
  };
}
