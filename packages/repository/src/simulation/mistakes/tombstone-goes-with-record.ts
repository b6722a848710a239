import type { Mistake } from "./mistake.ts";

/** Afterwards nothing says that the session has ended: a twin lane that slept may commit it again. */
export const tombstoneGoesWithRecord: Mistake = {
  name: "tombstone-goes-with-record",
  what: "a pass deletes the tombstone together with its record",
  foundBy: [3],
  openStore(store, { process }) {
    if (process.role !== "pruner") return undefined;
    return {
      ...store,
      async delete(key, call) {
        await store.delete(key, call);
        if (key.includes("/point/")) await store.delete(key.replace("/point/", "/end/"), call);
      },
    };
  },
};
