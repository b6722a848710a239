import type { ObjectStore, ObjectVersions } from "./object-store.ts";

export type StoreMethod =
  | "create"
  | "read"
  | "list"
  | "listFolders"
  | "delete"
  | "listVersions"
  | "readVersion"
  | "deleteVersion"
  | "readRetention"
  | "extendRetention";

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

type Decide = (method: StoreMethod, key: string) => Fault | undefined;

/** A store whose calls fail when `decide` says so: for tests of everything above it. */
export function openFaultyObjectStore(
  store: ObjectStore,
  decide: (call: FaultedCall) => Fault | undefined,
): ObjectStore & { readonly calls: () => number } {
  let number = 0;
  const next: Decide = (method, key) => decide({ number: ++number, method, key });
  const { versions } = store;
  return {
    address: store.address,
    calls: () => number,
    create: (key, bytes, call) => attempt(next("create", key), () => store.create(key, bytes, call)),
    read: (key, call) => attempt(next("read", key), () => store.read(key, call)),
    delete: (key, call) => attempt(next("delete", key), () => store.delete(key, call)),
    async *list(prefix, call) {
      yield* attemptListing(next("list", prefix), () => store.list(prefix, call));
    },
    async *listFolders(prefix, call) {
      yield* attemptListing(next("listFolders", prefix), () => store.listFolders(prefix, call));
    },
    ...(versions === undefined ? {} : { versions: openFaultyVersions(versions, next) }),
  };
}

function openFaultyVersions(versions: ObjectVersions, next: Decide): ObjectVersions {
  return {
    ...versions,
    async *list(prefix, call) {
      yield* attemptListing(next("listVersions", prefix), () => versions.list(prefix, call));
    },
    async *listFolders(prefix, call) {
      yield* attemptListing(next("listVersions", prefix), () => versions.listFolders(prefix, call));
    },
    read: (version, call) => attempt(next("readVersion", version.key), () => versions.read(version, call)),
    delete: (version, call) =>
      attempt(next("deleteVersion", version.key), () => versions.delete(version, call)),
    readRetention: (version, call) =>
      attempt(next("readRetention", version.key), () => versions.readRetention(version, call)),
    extendRetention: (version, untilMs, call) =>
      attempt(next("extendRetention", version.key), () => versions.extendRetention(version, untilMs, call)),
  };
}

async function attempt<Result>(fault: Fault | undefined, run: () => Promise<Result>): Promise<Result> {
  if (fault?.when === "before") throw fault.error;
  const result = await run();
  if (fault !== undefined) throw fault.error;
  return result;
}

/** `before`: the listing breaks at once. `after`: when everything but its end has arrived. */
async function* attemptListing<Item>(
  fault: Fault | undefined,
  list: () => AsyncIterable<Item>,
): AsyncGenerator<Item> {
  if (fault?.when === "before") throw fault.error;
  yield* list();
  if (fault !== undefined) throw fault.error;
}
