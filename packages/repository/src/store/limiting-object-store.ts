import type { ObjectStore, ObjectVersions, StoreCall } from "./object-store.ts";

/** Something to wait on before each call; a `TokenBucket` satisfies it. */
export interface CallLimit {
  take(signal: AbortSignal): Promise<void>;
}

type InTurn = <Result>(call: StoreCall, run: () => Promise<Result>) => Promise<Result>;

/** Makes each call wait its turn, a listing once. */
export function openLimitingObjectStore(limit: CallLimit, store: ObjectStore): ObjectStore {
  const inTurn: InTurn = async (call, run) => {
    await limit.take(call.signal);
    return run();
  };
  return {
    address: store.address,
    create: (key, bytes, call) => inTurn(call, () => store.create(key, bytes, call)),
    read: (key, call) => inTurn(call, () => store.read(key, call)),
    delete: (key, call) => inTurn(call, () => store.delete(key, call)),
    async *list(prefix, call) {
      await limit.take(call.signal);
      yield* store.list(prefix, call);
    },
    async *listFolders(prefix, call) {
      await limit.take(call.signal);
      yield* store.listFolders(prefix, call);
    },
    ...(store.versions === undefined ? {} : { versions: limitVersions(limit, inTurn, store.versions) }),
  };
}

function limitVersions(limit: CallLimit, inTurn: InTurn, versions: ObjectVersions): ObjectVersions {
  return {
    ...versions,
    async *list(prefix, call) {
      await limit.take(call.signal);
      yield* versions.list(prefix, call);
    },
    async *listFolders(prefix, call) {
      await limit.take(call.signal);
      yield* versions.listFolders(prefix, call);
    },
    read: (version, call) => inTurn(call, () => versions.read(version, call)),
    delete: (version, call) => inTurn(call, () => versions.delete(version, call)),
    readRetention: (version, call) => inTurn(call, () => versions.readRetention(version, call)),
    extendRetention: (version, untilMs, call) =>
      inTurn(call, () => versions.extendRetention(version, untilMs, call)),
  };
}
