import { endPrefix } from "../../format/object-names.ts";
import type { StoredObject } from "../../store/object-store.ts";
import type { Mistake } from "./mistake.ts";

/** A session that opens, and whose base then ends, between the two listings is seen by neither. */
export const opensBeforeTombstones: Mistake = {
  name: "opens-before-tombstones",
  what: "a pass lists the open sessions before the tombstones",
  foundBy: [1, 2, 4],
  openStore(store, { stage, process }) {
    if (process.role !== "pruner") return undefined;
    const { domain } = stage;
    const sessions = `${domain}/session/`;
    let listed: readonly StoredObject[] | undefined;
    return {
      ...store,
      async *list(prefix, call) {
        if (prefix === endPrefix(domain)) listed = await Array.fromAsync(store.list(sessions, call));
        const early = prefix === sessions ? listed : undefined;
        yield* early ?? store.list(prefix, call);
      },
    };
  },
};
