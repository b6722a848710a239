import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import { randomFraction, seededRandom } from "@garrison/core/random";
import { TokenBucket } from "@garrison/core/token-bucket";
import type { StoreUnderTest } from "./contract-fixture.ts";
import { openCountingObjectStore } from "./counting-object-store.ts";
import { openFaultyObjectStore } from "./faulty-object-store.ts";
import { openFolderObjectStore } from "./folder-object-store.ts";
import { openLimitingObjectStore } from "./limiting-object-store.ts";
import { openMemoryObjectStore } from "./memory-object-store.ts";
import { describeObjectStore } from "./object-store-contract.ts";
import { openVersionedMemoryStore } from "./versioned-memory-store.ts";
import { openRetryingObjectStore } from "./retrying-object-store.ts";

const call = { signal: new AbortController().signal };
const memory = () => openMemoryObjectStore(systemClock);
const random = seededRandom("stores");

/** Every second call fails, in turn before and after its effect. */
function openUnreliable(store = memory()) {
  const error = new GarrisonError("store-unavailable", "planned");
  return openFaultyObjectStore(store, ({ number }) =>
    number % 2 === 0 ? undefined : { when: number % 4 === 1 ? "before" : "after", error },
  );
}

/** Memory has no trouble with size. */
const small = { largestBytes: 100_000 };
const policy = { maxAttempts: 4, baseDelayMs: 0, maxDelayMs: 0 };

describeObjectStore("memory", async () => ({ store: memory(), ...small }));
describeObjectStore("a folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "garrison-store-"));
  return { store: openFolderObjectStore({ folder }), close: () => rm(folder, { recursive: true }) };
});
for (const lockMode of [undefined, "governance", "compliance"] as const) {
  const lock = lockMode === undefined ? {} : { lockMode };
  const open = () => openVersionedMemoryStore({ clock: systemClock, ...lock });
  describeObjectStore(`memory with versions and ${lockMode ?? "no"} locks`, async () => ({
    store: open(),
    ...small,
  }));
  describeObjectStore(
    `a counted, limited, retried store with versions and ${lockMode ?? "no"} locks`,
    async () => {
      const limit = new TokenBucket(systemClock, { capacity: 100_000, refillPerSecond: 100_000 });
      const limited = openLimitingObjectStore(limit, openCountingObjectStore(open()));
      return { store: openRetryingObjectStore({ clock: systemClock, random, policy }, limited), ...small };
    },
  );
}
describeObjectStore("a counted store", async () => ({ store: openCountingObjectStore(memory()), ...small }));
describeObjectStore("a limited store", async () => {
  const limit = new TokenBucket(systemClock, { capacity: 100_000, refillPerSecond: 100_000 });
  return { store: openLimitingObjectStore(limit, memory()), ...small };
});
describeObjectStore("a store without faults", async () => ({
  store: openFaultyObjectStore(memory(), () => undefined),
  ...small,
}));

test("the retrying store hides lost calls, and a lost answer of a creation shows as exists", async () => {
  const store = openRetryingObjectStore({ clock: systemClock, random, policy }, openUnreliable());
  expect(await store.create("k", Buffer.from("v"), call)).toBe("created");
  expect(Buffer.from(await store.read("k", call)).toString()).toBe("v");
  const lost = openRetryingObjectStore(
    { clock: systemClock, random, policy },
    openFaultyObjectStore(memory(), ({ number }) =>
      number === 1 ? { when: "after", error: new GarrisonError("store-unavailable", "planned") } : undefined,
    ),
  );
  expect(await lost.create("k", Buffer.from("v"), call)).toBe("exists");
});

test("a listing that breaks goes on after the last object that arrived", async () => {
  const inner = memory();
  for (let index = 0; index < 10; index++) await inner.create(`k/${index}`, Buffer.from("v"), call);
  let breaks = 3;
  const breaking = {
    ...inner,
    async *list(...options: Parameters<typeof inner.list>) {
      let listed = 0;
      for await (const object of inner.list(...options)) {
        if (listed++ === 2 && breaks-- > 0) throw new GarrisonError("store-unavailable", "planned");
        yield object;
      }
    },
  };
  const store = openRetryingObjectStore({ clock: systemClock, random, policy }, breaking);
  const keys: string[] = [];
  for await (const object of store.list("k/", call)) keys.push(object.key);
  expect(keys).toEqual(Array.from({ length: 10 }, (_, index) => `k/${index}`));
});

test("what no retry mends is thrown at once", async () => {
  let calls = 0;
  const inner = openFaultyObjectStore(memory(), () => {
    calls++;
    return { when: "before", error: new GarrisonError("store-access-denied", "planned") };
  });
  const store = openRetryingObjectStore({ clock: systemClock, random, policy }, inner);
  await expect(store.read("k", call)).rejects.toMatchObject({ code: "store-access-denied" });
  expect(calls).toBe(1);
});

/** A tenth of all calls is lost, in turn before and after its effect; the first two of each test surely. */
function openFlaky(name: string, open: () => Promise<StoreUnderTest>): void {
  describeObjectStore(`${name} whose calls get lost`, async () => {
    const { store, close } = await open();
    const draw = seededRandom(name);
    const error = new GarrisonError("store-unavailable", "planned");
    let faults = 0;
    const faulty = openFaultyObjectStore(store, ({ number }) => {
      if (number > 2 && randomFraction(draw) >= 0.1) return undefined;
      return { when: faults++ % 2 === 0 ? "before" : "after", error };
    });
    const retries = { clock: systemClock, random, policy: { ...policy, maxAttempts: 12 } };
    return {
      store: openRetryingObjectStore(retries, faulty),
      losesAnswers: true,
      pageKeys: 40,
      ...small,
      close: async () => {
        await close?.();
        expect(faults).toBeGreaterThanOrEqual(Math.min(2, faulty.calls()));
      },
    };
  });
}

openFlaky("memory", async () => ({ store: memory() }));
openFlaky("memory with versions and locks", async () => ({
  store: openVersionedMemoryStore({ clock: systemClock, lockMode: "compliance" }),
}));
openFlaky("a folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "garrison-store-"));
  return { store: openFolderObjectStore({ folder }), close: () => rm(folder, { recursive: true }) };
});
