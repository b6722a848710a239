import { expect, test } from "vitest";
import { seededRandom } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { call } from "./contract-fixture.ts";
import { openMemoryObjectStore } from "./memory-object-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { loadStoreTraits, probeStore } from "./probe-store.ts";
import { openVersionedMemoryStore } from "./versioned-memory-store.ts";

const random = seededRandom("probe");
const clock = new VirtualClock();
const memory = () => openMemoryObjectStore(clock);

test("a store that overwrites is found", async () => {
  const store = memory();
  const careless: ObjectStore = {
    ...store,
    create: async (key, bytes) => {
      store.objects.set(key, { bytes: new Uint8Array(bytes), modifiedMs: 0 });
      return "created";
    },
  };
  await expect(probeStore({ store: careless, random }, call)).rejects.toMatchObject({
    code: "store-unsuitable",
  });
});

test("a store that says it refused, and overwrote, is found", async () => {
  const store = memory();
  const lying: ObjectStore = {
    ...store,
    create: async (key, bytes) => {
      const outcome = store.objects.has(key) ? "exists" : "created";
      store.objects.set(key, { bytes: new Uint8Array(bytes), modifiedMs: 0 });
      return outcome;
    },
  };
  await expect(probeStore({ store: lying, random }, call)).rejects.toMatchObject({
    code: "store-unsuitable",
  });
});

test("a store that lists late is found", async () => {
  const late: ObjectStore = { ...memory(), list: async function* () {} };
  await expect(probeStore({ store: late, random }, call)).rejects.toMatchObject({ code: "store-unsuitable" });
});

function openUnsorted() {
  const store = memory();
  const unsorted: ObjectStore = {
    ...store,
    async *list(prefix, options) {
      yield* (await Array.fromAsync(store.list(prefix, options))).reverse();
    },
  };
  return { store, unsorted };
}

test("a store that lists in no order is usable, and what was found is noted once", async () => {
  const { store, unsorted } = openUnsorted();
  expect(await loadStoreTraits({ store: unsorted, random, clock }, call)).toEqual({ listing: "unsorted" });
  expect([...store.objects.keys()]).toEqual(["probe/noted"]);
  // The note counts, not what the store does today.
  expect(await loadStoreTraits({ store, random, clock }, call)).toEqual({ listing: "unsorted" });
});

test("a sorted store is noted as such; a note that can't be read is taken for the worse", async () => {
  const store = memory();
  expect(await loadStoreTraits({ store, random, clock }, call)).toEqual({ listing: "sorted" });
  store.objects.set("probe/noted", { bytes: Buffer.from("{"), modifiedMs: 0 });
  expect(await loadStoreTraits({ store, random, clock }, call)).toEqual({ listing: "unsorted" });
});

test("a probe works where all that it leaves behind is locked", async () => {
  const defaultRetention = { mode: "compliance", durationMs: 60_000 } as const;
  const store = openVersionedMemoryStore({ clock, lockMode: "compliance", defaultRetention });
  expect(await probeStore({ store, random }, call)).toEqual({ listing: "sorted" });
});
