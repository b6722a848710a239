import { endName } from "../../format/object-names.ts";
import { decodeObject } from "../../format/sealed-object.ts";
import { decodeOpen } from "../../format/session-objects.ts";
import type { StoredObject } from "../../store/object-store.ts";
import type { Mistake } from "./mistake.ts";

/** The first half of the handshake is done too early: what ends between it and `open` is taken for alive. */
export const tombstoneBeforeOpen: Mistake = {
  name: "tombstone-before-open",
  what: "a writer looks for its base's tombstone before it stores `open`",
  foundBy: [1, 2, 4],
  openStore(store, { stage, process }) {
    if (process.role !== "writer") return undefined;
    const { keyring } = stage.model;
    const seen = new Map<string, readonly StoredObject[]>();
    return {
      ...store,
      async create(key, bytes, call) {
        if (!key.endsWith("/open")) return store.create(key, bytes, call);
        const { keys } = keyring;
        for (const base of decodeOpen(decodeObject(keys, key, bytes).body, key).bases) {
          const tombstone = endName(keys.domain, base.series, base.session);
          seen.set(tombstone, await Array.fromAsync(store.list(tombstone, call)));
        }
        return store.create(key, bytes, call);
      },
      async *list(prefix, call) {
        yield* seen.get(prefix) ?? store.list(prefix, call);
      },
    };
  },
};
