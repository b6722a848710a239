import type { ObjectStore } from "../../store/object-store.ts";
import type { Mistake } from "./mistake.ts";

/** Map packs are held back until the record is stored; the writer itself sees them as if they were there. */
export const commitBeforePages: Mistake = {
  name: "commit-before-pages",
  what: "a writer stores its record before the pages that it refers to",
  foundBy: [4],
  openStore(store, { process }) {
    if (process.role !== "writer") return undefined;
    const held = new Map<string, Uint8Array>();
    const late: ObjectStore = {
      ...store,
      async create(key, bytes, call) {
        if (key.includes("/map/")) {
          held.set(key, Buffer.from(bytes));
          return "created";
        }
        const outcome = await store.create(key, bytes, call);
        if (!key.includes("/point/")) return outcome;
        for (const [pack, content] of held) await store.create(pack, content, call);
        held.clear();
        return outcome;
      },
      async read(key, call) {
        const bytes = held.get(key);
        if (bytes === undefined) return store.read(key, call);
        const { offset, length } = call.range ?? { offset: 0, length: bytes.length };
        return new Uint8Array(bytes.slice(offset, offset + length));
      },
      async *list(prefix, call) {
        yield* store.list(prefix, call);
        for (const [key, bytes] of held) {
          if (key.startsWith(prefix)) yield { key, sizeBytes: bytes.length, modifiedMs: 0 };
        }
      },
    };
    return late;
  },
};
