import type { ObjectStore } from "./object-store.ts";

export type StoreMethod = "create" | "read" | "list" | "listFolders" | "delete";

/** One call about to be made. */
export interface FaultedCall {
  /** 1 for the first call to the store. */
  readonly number: number;
  readonly method: StoreMethod;
  readonly key: string;
}

export interface Fault {
  /** `before`: the call has no effect. `after`: it has, and its answer is lost. */
  readonly when: "before" | "after";
  readonly error: Error;
}

/** A store whose calls fail when `decide` says so: for tests of everything above it. */
export function openFaultyObjectStore(
  store: ObjectStore,
  decide: (call: FaultedCall) => Fault | undefined,
): ObjectStore & { readonly calls: () => number } {
  let number = 0;
  async function attempt<Result>(
    method: StoreMethod,
    key: string,
    run: () => Promise<Result>,
  ): Promise<Result> {
    const fault = decide({ number: ++number, method, key });
    if (fault?.when === "before") throw fault.error;
    const result = await run();
    if (fault !== undefined) throw fault.error;
    return result;
  }
  return {
    address: store.address,
    calls: () => number,
    create: (key, bytes, call) => attempt("create", key, () => store.create(key, bytes, call)),
    read: (key, call) => attempt("read", key, () => store.read(key, call)),
    delete: (key, call) => attempt("delete", key, () => store.delete(key, call)),
    async *list(prefix, call) {
      await attempt("list", prefix, async () => undefined);
      yield* store.list(prefix, call);
    },
    async *listFolders(prefix, call) {
      await attempt("listFolders", prefix, async () => undefined);
      yield* store.listFolders(prefix, call);
    },
  };
}
