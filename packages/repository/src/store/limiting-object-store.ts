import type { StoreCall } from "./object-store.ts";
import type { ObjectStore } from "./object-store.ts";

/** Something to wait on before each call; a `TokenBucket` satisfies it. */
export interface CallLimit {
  take(signal: AbortSignal): Promise<void>;
}

/** Makes each call wait its turn, a listing once. */
export function openLimitingObjectStore(limit: CallLimit, store: ObjectStore): ObjectStore {
  const inTurn = async <Result>(call: StoreCall, run: () => Promise<Result>) => {
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
  };
}
