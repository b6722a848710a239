import { GarrisonError } from "@garrison/core/garrison-error";
import { seededRandom } from "@garrison/core/random";
import { loadOrCreateChannel, type ChannelStore, type StoredChannel } from "./channel-store.ts";
import { publicKeysOf } from "./peer-identity.ts";

const call = { signal: new AbortController().signal };
const create = (store: ChannelStore, seed = 1) =>
  loadOrCreateChannel({ store, random: seededRandom(seed) }, call);

/** What the channel relies on, for every implementation of `ChannelStore`; each case gets an empty store. */
export const channelStoreContract: readonly {
  readonly name: string;
  readonly run: (store: ChannelStore) => Promise<void>;
}[] = [
  {
    name: "holds nothing before the first save",
    run: async (store) => expectEqual(await store.load(call), undefined),
  },
  {
    name: "makes the keys once and keeps them",
    run: async (store) => {
      const first = publicKeysOf((await create(store, 1)).identity);
      expectEqual(publicKeysOf((await create(store, 2)).identity), first);
    },
  },
  {
    name: "gives back what was saved",
    run: async (store) => {
      const record = nextOf(await create(store));
      expectEqual(await store.save(record, call), true);
      expectEqual(await store.load(call), record);
    },
  },
  {
    name: "refuses the save of a holder that another has overtaken",
    run: async (store) => {
      const record = await create(store);
      const [first, second] = [nextOf(record), { ...nextOf(record), delivered: 7 }];
      expectEqual(await store.save(first, call), true);
      expectEqual(await store.save(second, call), false);
      expectEqual(await store.load(call), first);
    },
  },
  {
    name: "refuses a second first record",
    run: async (store) => {
      const record = await create(store);
      expectEqual(await store.save({ ...record, nextSequence: 9 }, call), false);
      expectEqual(await store.load(call), record);
    },
  },
];

function nextOf(record: StoredChannel): StoredChannel {
  const unacknowledged = [{ sequence: 1, type: "heartbeat", body: "g1.a.b.c" }];
  return { ...record, revision: record.revision + 1, nextSequence: 2, unacknowledged };
}

/** Compared as the set of their members: a database may give an object's keys in another order. */
function expectEqual(actual: unknown, expected: unknown): void {
  if (canonical(actual) === canonical(expected)) return;
  throw new GarrisonError("internal", "the channel store breaks its contract", {
    details: { actual, expected },
  });
}

function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, member: unknown) =>
    member !== null && typeof member === "object" && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
