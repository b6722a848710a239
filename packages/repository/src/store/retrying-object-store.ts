import type { Clock } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { retry, type RetryPolicy } from "@garrison/core/retry";
import type { ObjectStore, StoreCall, StoredObject } from "./object-store.ts";

export interface RetryingStoreDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly policy?: RetryPolicy;
}

/** Expired credentials don't come back by waiting: whoever lent them has to act first. */
const storePolicy: RetryPolicy = {
  maxAttempts: 8,
  baseDelayMs: 100,
  maxDelayMs: 15_000,
  isRetryable: (error) =>
    isGarrisonError(error) && error.retryable && error.code !== "store-credentials-expired",
};

/**
 * Repeats what may be repeated: every call of the port is safe to send again. The one retry layer over a store that
 * makes one attempt a call. A listing goes on after the last object that arrived.
 */
export function openRetryingObjectStore(
  dependencies: RetryingStoreDependencies,
  store: ObjectStore,
): ObjectStore {
  const policy = dependencies.policy ?? storePolicy;
  const again = <Result>(call: StoreCall, attempt: () => Promise<Result>) =>
    retry(dependencies, { policy, signal: call.signal }, attempt);
  return {
    address: store.address,
    create: (key, bytes, call) => again(call, () => store.create(key, bytes, call)),
    read: (key, call) => again(call, () => store.read(key, call)),
    delete: (key, call) => again(call, () => store.delete(key, call)),
    async *list(prefix, call) {
      let after = call.startAfter;
      let listing: AsyncIterator<StoredObject> | undefined;
      try {
        for (;;) {
          const next = await again(call, async () => {
            const from = after === undefined ? {} : { startAfter: after };
            listing ??= store.list(prefix, { signal: call.signal, ...from })[Symbol.asyncIterator]();
            return nextOf(listing, () => (listing = undefined));
          });
          if (next.done === true) return;
          after = next.value.key;
          yield next.value;
        }
      } finally {
        await listing?.return?.();
      }
    },
    async *listFolders(prefix, call) {
      let after = "";
      let listing: AsyncIterator<string> | undefined;
      try {
        for (;;) {
          const next = await again(call, async () => {
            listing ??= store.listFolders(prefix, call)[Symbol.asyncIterator]();
            return nextOf(listing, () => (listing = undefined));
          });
          if (next.done === true) return;
          if (Buffer.compare(Buffer.from(next.value), Buffer.from(after)) <= 0) continue;
          after = next.value;
          yield next.value;
        }
      } finally {
        await listing?.return?.();
      }
    },
  };
}

/** An iterator that has thrown is finished: `forget` makes the next attempt begin a new one. */
async function nextOf<Item>(
  iterator: AsyncIterator<Item>,
  forget: () => void,
): Promise<IteratorResult<Item>> {
  try {
    return await iterator.next();
  } catch (error) {
    forget();
    throw error;
  }
}
