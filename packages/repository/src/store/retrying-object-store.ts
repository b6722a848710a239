import type { Clock } from "@garrison/core/clock";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Random } from "@garrison/core/random";
import { retry, type RetryPolicy } from "@garrison/core/retry";
import type { ObjectStore, ObjectVersions, StoreCall } from "./object-store.ts";

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

type Again = <Result>(call: StoreCall, attempt: () => Promise<Result>) => Promise<Result>;

/**
 * Repeats what may be repeated: every call of the port is safe to send again. The one retry layer over a store that
 * makes one attempt a call. A listing goes on after the last object that arrived.
 */
export function openRetryingObjectStore(
  dependencies: RetryingStoreDependencies,
  store: ObjectStore,
): ObjectStore {
  const policy = dependencies.policy ?? storePolicy;
  const again: Again = (call, attempt) => retry(dependencies, { policy, signal: call.signal }, attempt);
  const { versions } = store;
  return {
    address: store.address,
    create: (key, bytes, call) => again(call, () => store.create(key, bytes, call)),
    read: (key, call) => again(call, () => store.read(key, call)),
    delete: (key, call) => again(call, () => store.delete(key, call)),
    list: (prefix, call) =>
      resumeListing(again, call, {
        startAfter: call.startAfter,
        begin: (from) => store.list(prefix, { ...call, ...from }),
        positionOf: (object) => object.key,
        isKnown: () => false,
      }),
    listFolders: (prefix, call) => listFolders(again, call, () => store.listFolders(prefix, call)),
    ...(versions === undefined ? {} : { versions: retryVersions(again, versions) }),
  };
}

function retryVersions(again: Again, versions: ObjectVersions): ObjectVersions {
  return {
    ...versions,
    list: (prefix, call) => listVersions(again, versions, [prefix, call]),
    listFolders: (prefix, call) => listFolders(again, call, () => versions.listFolders(prefix, call)),
    read: (version, call) => again(call, () => versions.read(version, call)),
    delete: (version, call) => again(call, () => versions.delete(version, call)),
    readRetention: (version, call) => again(call, () => versions.readRetention(version, call)),
    extendRetention: (version, untilMs, call) =>
      again(call, () => versions.extendRetention(version, untilMs, call)),
  };
}

function listFolders(
  again: Again,
  call: StoreCall,
  begin: () => AsyncIterable<string>,
): AsyncIterable<string> {
  return resumeListing(again, call, {
    startAfter: undefined,
    begin,
    positionOf: (folder) => folder,
    isKnown: (folder, last) => Buffer.compare(Buffer.from(folder), Buffer.from(last)) <= 0,
  });
}

/**
 * A listing of versions can only be begun again behind a whole key. So it goes on after the last key that is known to be
 * complete, and leaves out the versions of the next one that have arrived.
 */
function listVersions(
  again: Again,
  versions: ObjectVersions,
  [prefix, call]: Parameters<ObjectVersions["list"]>,
): ReturnType<ObjectVersions["list"]> {
  let completeKey = call.startAfter;
  let key: string | undefined;
  const arrived = new Set<string>();
  return resumeListing(again, call, {
    startAfter: call.startAfter,
    begin: () =>
      versions.list(prefix, {
        signal: call.signal,
        ...(completeKey === undefined ? {} : { startAfter: completeKey }),
      }),
    positionOf(version) {
      if (version.key !== key) {
        completeKey = key ?? completeKey;
        key = version.key;
        arrived.clear();
      }
      arrived.add(version.versionId);
      return version.key;
    },
    isKnown: (version) => version.key === key && arrived.has(version.versionId),
  });
}

interface ResumableListing<Item> {
  readonly startAfter: string | undefined;
  readonly begin: (from: { readonly startAfter?: string }) => AsyncIterable<Item>;
  /** Called for each item that is passed on; what the next beginning starts after. */
  readonly positionOf: (item: Item) => string;
  /** Whether an item of a repeated listing was passed on before. */
  readonly isKnown: (item: Item, last: string) => boolean;
}

async function* resumeListing<Item>(
  again: Again,
  call: StoreCall,
  listing: ResumableListing<Item>,
): AsyncGenerator<Item> {
  let last = listing.startAfter;
  let open: AsyncIterator<Item> | undefined;
  try {
    for (;;) {
      const next = await again(call, async () => {
        open ??= listing.begin(last === undefined ? {} : { startAfter: last })[Symbol.asyncIterator]();
        return nextOf(open, () => (open = undefined));
      });
      if (next.done === true) return;
      if (listing.isKnown(next.value, last ?? "")) continue;
      last = listing.positionOf(next.value);
      yield next.value;
    }
  } finally {
    await open?.return?.();
  }
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
