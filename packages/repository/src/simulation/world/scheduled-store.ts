import type { CreateOutcome, ObjectStore, StoredObject } from "../../store/object-store.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { StorePage } from "./store-request.ts";

/** The bucket as one process sees it: each call, and each page of a listing, waits until the scheduler carries it out. */
export function openScheduledStore(scheduler: Scheduler, process: SimulatedProcess): ObjectStore {
  return {
    address: "simulated:",
    create: async (key, bytes, { signal }) =>
      // A copy: it may arrive after its sender has filled the buffer with something else.
      (await scheduler.send(
        process,
        { method: "create", key, bytes: Buffer.from(bytes) },
        signal,
      )) as CreateOutcome,
    read: async (key, { signal, range }) => {
      const request = { method: "read", key, ...(range === undefined ? {} : { range }) } as const;
      return (await scheduler.send(process, request, signal)) as Uint8Array;
    },
    async *list(prefix, { signal, startAfter }) {
      let after = startAfter;
      for (;;) {
        const from = after === undefined ? {} : { startAfter: after };
        const request = { method: "list", key: prefix, ...from } as const;
        const page = (await scheduler.send(process, request, signal)) as StorePage<StoredObject>;
        yield* page.items;
        if (page.isLast) return;
        after = page.items.at(-1)!.key;
      }
    },
    async *listFolders(prefix, { signal }) {
      let after: string | undefined;
      for (;;) {
        const from = after === undefined ? {} : { startAfter: after };
        const request = { method: "listFolders", key: prefix, ...from } as const;
        const page = (await scheduler.send(process, request, signal)) as StorePage<string>;
        yield* page.items;
        if (page.isLast) return;
        after = page.items.at(-1)!;
      }
    },
    delete: async (key, { signal }) => {
      await scheduler.send(process, { method: "delete", key }, signal);
    },
  };
}
