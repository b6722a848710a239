import { describe, expect, test } from "vitest";
import { systemClock } from "@garrison/core/clock";
import { forEachConcurrent } from "@garrison/core/map-concurrent";
import { MiB } from "@garrison/core/units";
import { bytesOf, call, collect, type StoreUnderTest, type WithStore } from "./contract-fixture.ts";
import type { ObjectStore } from "./object-store.ts";
import { describeVersions } from "./object-versions-contract.ts";

const keysOf = async (store: ObjectStore, prefix: string, startAfter?: string) => {
  const options = startAfter === undefined ? call : { ...call, startAfter };
  return (await collect(store.list(prefix, options))).map((object) => object.key);
};

/** What the engine relies on in a store. Every implementation and decorator runs it. */
export function describeObjectStore(name: string, open: () => Promise<StoreUnderTest>): void {
  const withStore: WithStore = (run) => async () => {
    const { store, clock = systemClock, losesAnswers = false, close, ...sizes } = await open();
    const { pageKeys = 1000, largestBytes = 33 * MiB + 1 } = sizes;
    const created = losesAnswers ? (["created", "exists"] as const) : (["created"] as const);
    try {
      await run({ store, clock, created, pageKeys, largestBytes });
    } finally {
      await close?.();
    }
  };
  describe(`${name} as an object store`, () => {
    describeCreating(withStore);
    describeReading(withStore);
    describeDeleting(withStore);
    describeStopping(withStore);
    describeListing(withStore);
    describeLongListings(withStore);
    describeVersions(withStore);
  });
}

function describeCreating(withStore: WithStore): void {
  test(
    "a second creation of a name is refused and changes nothing",
    withStore(async ({ store, created }) => {
      expect(created).toContain(await store.create("a/b", bytesOf("first"), call));
      expect(await store.create("a/b", bytesOf("second"), call)).toBe("exists");
      expect(Buffer.from(await store.read("a/b", call)).toString()).toBe("first");
    }),
  );
  test(
    "of many who create one name at once exactly one succeeds, and its bytes are kept whole",
    withStore(async ({ store, created }) => {
      const contents = Array.from({ length: 8 }, (_, index) => bytesOf(String(index).repeat(70_000)));
      const outcomes = await Promise.all(contents.map((bytes) => store.create("race", bytes, call)));
      const kept = Buffer.from(await store.read("race", call));
      const winner = contents.findIndex((bytes) => kept.equals(bytes));
      expect(created).toContain(outcomes[winner]);
      expect(outcomes.filter((outcome, index) => index !== winner && outcome !== "exists")).toEqual([]);
    }),
  );
  test(
    "the caller may use the bytes again after creation",
    withStore(async ({ store }) => {
      const bytes = bytesOf("lent");
      await store.create("lent", bytes, call);
      bytes.fill(0);
      expect(Buffer.from(await store.read("lent", call)).toString()).toBe("lent");
    }),
  );
  test(
    "an object may be empty",
    withStore(async ({ store, created }) => {
      expect(created).toContain(await store.create("empty", new Uint8Array(0), call));
      expect(await store.create("empty", bytesOf("x"), call)).toBe("exists");
      expect((await store.read("empty", call)).length).toBe(0);
      expect(await collect(store.list("empty", call))).toMatchObject([{ key: "empty", sizeBytes: 0 }]);
    }),
  );
  test(
    "an object larger than any pack arrives whole",
    withStore(async ({ store, created, largestBytes }) => {
      const bytes = new Uint8Array(largestBytes);
      for (let offset = 0; offset < bytes.length; offset += 4093) bytes[offset] = offset % 251;
      expect(created).toContain(await store.create("large", bytes, call));
      expect(Buffer.compare(await store.read("large", call), bytes)).toBe(0);
      const range = { offset: Math.floor(largestBytes / 2) - 5, length: Math.floor(largestBytes / 4) };
      const part = await store.read("large", { ...call, range });
      expect(Buffer.compare(part, bytes.subarray(range.offset, range.offset + range.length))).toBe(0);
    }),
  );
}

function describeReading(withStore: WithStore): void {
  test(
    "a range is read exactly; one beyond the end is object-truncated",
    withStore(async ({ store }) => {
      await store.create("digits", bytesOf("0123456789"), call);
      const read = async (offset: number, length: number) =>
        Buffer.from(await store.read("digits", { ...call, range: { offset, length } })).toString();
      expect(await read(0, 10)).toBe("0123456789");
      expect(await read(3, 4)).toBe("3456");
      expect(await read(9, 1)).toBe("9");
      await expect(read(8, 3)).rejects.toMatchObject({ code: "object-truncated" });
      await expect(read(10, 1)).rejects.toMatchObject({ code: "object-truncated" });
    }),
  );
  test(
    "an object that is not there is object-missing, whole or in part",
    withStore(async ({ store }) => {
      await store.create("nothing/here/at/all", bytesOf("x"), call);
      for (const key of ["nothing/here", "nothing/here/at/all/below", "nothing"]) {
        await expect(store.read(key, call)).rejects.toMatchObject({ code: "object-missing" });
        const range = { offset: 0, length: 1 };
        await expect(store.read(key, { ...call, range })).rejects.toMatchObject({ code: "object-missing" });
      }
    }),
  );
}

function describeDeleting(withStore: WithStore): void {
  test(
    "an object that is not there can be deleted, and a deleted name is free again",
    withStore(async ({ store, created }) => {
      await store.delete("gone", call);
      await store.create("gone", bytesOf("1"), call);
      await store.delete("gone", call);
      await expect(store.read("gone", call)).rejects.toMatchObject({ code: "object-missing" });
      expect(await keysOf(store, "gone")).toEqual([]);
      expect(created).toContain(await store.create("gone", bytesOf("2"), call));
    }),
  );
  test(
    "a store without locks ignores that one is asked for",
    withStore(async ({ store, clock, created }) => {
      if (store.versions?.lockMode !== undefined) return;
      const retainUntilMs = clock.now() + 3_600_000;
      expect(created).toContain(await store.create("held", bytesOf("1"), { ...call, retainUntilMs }));
      await store.delete("held", call);
      await expect(store.read("held", call)).rejects.toMatchObject({ code: "object-missing" });
    }),
  );
}

function describeStopping(withStore: WithStore): void {
  test(
    "a stopped call does nothing",
    withStore(async ({ store }) => {
      await store.create("kept", bytesOf("x"), call);
      const stopped = { signal: AbortSignal.abort() };
      await expect(store.create("stopped", bytesOf("x"), stopped)).rejects.toThrow();
      await expect(store.delete("kept", stopped)).rejects.toThrow();
      await expect(store.read("kept", stopped)).rejects.toThrow();
      await expect(collect(store.list("", stopped))).rejects.toThrow();
      expect(await keysOf(store, "")).toEqual(["kept"]);
    }),
  );
  test(
    "a creation that is stopped on its way leaves the whole object or none",
    withStore(async ({ store, largestBytes }) => {
      const bytes = new Uint8Array(Math.ceil(largestBytes / 4)).fill(7);
      for (let turn = 0; turn < 6; turn++) {
        const stop = new AbortController();
        const created = store.create(`turn-${turn}`, bytes, stop).catch(() => "stopped");
        for (let waits = 0; waits < turn; waits++) await new Promise((resolve) => setImmediate(resolve));
        stop.abort();
        await created;
      }
      for (const object of await collect(store.list("turn-", call))) {
        expect(object.sizeBytes).toBe(bytes.length);
        expect(Buffer.compare(await store.read(object.key, call), bytes)).toBe(0);
      }
    }),
  );
}

function describeListing(withStore: WithStore): void {
  test(
    "a fresh object is listed at once, with its size",
    withStore(async ({ store, clock }) => {
      await store.create("new/object", bytesOf("12345"), call);
      const [object] = await collect(store.list("new/", call));
      expect(object).toMatchObject({ key: "new/object", sizeBytes: 5 });
      expect(Math.abs(object!.modifiedMs - clock.now())).toBeLessThan(86_400_000);
    }),
  );
  test(
    "keys come in the order of their bytes, across folders",
    withStore(async ({ store }) => {
      const keys = ["b", "a/x", "a-b/x", "a.c", "a/b/c", "A", "a0", "a/-", "_"];
      for (const key of keys) await store.create(key, bytesOf(key), call);
      expect(await keysOf(store, "")).toEqual(["A", "_", "a-b/x", "a.c", "a/-", "a/b/c", "a/x", "a0", "b"]);
      expect(await keysOf(store, "a/")).toEqual(["a/-", "a/b/c", "a/x"]);
      expect(await keysOf(store, "a")).toEqual(["a-b/x", "a.c", "a/-", "a/b/c", "a/x", "a0"]);
      expect(await keysOf(store, "", "a/b/c")).toEqual(["a/x", "a0", "b"]);
      expect(await keysOf(store, "a/", "a/b")).toEqual(["a/b/c", "a/x"]);
      expect(await keysOf(store, "zz")).toEqual([]);
    }),
  );
  test(
    "folders are the next part of the names, each once",
    withStore(async ({ store }) => {
      for (const key of ["d/1/a", "d/1/b", "d/10/a", "d/2", "e/1/a"])
        await store.create(key, bytesOf(key), call);
      expect(await collect(store.listFolders("d/", call))).toEqual(["d/1/", "d/10/"]);
      expect(await collect(store.listFolders("", call))).toEqual(["d/", "e/"]);
    }),
  );
}

const numbered = (number: number) => `many/${String(number).padStart(5, "0")}`;

/** A page and a tenth of keys with even numbers. */
async function createMany(store: ObjectStore, pageKeys: number): Promise<string[]> {
  const keys = Array.from({ length: Math.ceil(pageKeys * 1.1) }, (_, number) => numbered(number * 2));
  const options = { concurrency: 16, signal: call.signal };
  await forEachConcurrent(keys, options, async (key) => void (await store.create(key, bytesOf("x"), call)));
  return keys;
}

function describeLongListings(withStore: WithStore): void {
  test(
    "more keys than fit a page are all listed, and from anywhere",
    withStore(async ({ store, pageKeys }) => {
      const keys = await createMany(store, pageKeys);
      expect(await keysOf(store, "many/")).toEqual(keys);
      expect(await keysOf(store, "many/", numbered(2 * pageKeys - 1))).toEqual(keys.slice(pageKeys));
      expect(await keysOf(store, "many/", numbered(2 * pageKeys))).toEqual(keys.slice(pageKeys + 1));
    }),
  );
  test(
    "what stands throughout a listing is listed once, whatever comes and goes meanwhile",
    withStore(async ({ store, pageKeys }) => {
      const keys = await createMany(store, pageKeys);
      const places = [0, 5, pageKeys - 1, pageKeys + 1, keys.length - 1];
      const leaving = new Set(places.map((place) => keys[place]!));
      const listed: string[] = [];
      for await (const { key } of store.list("many/", call)) {
        if (listed.push(key) !== 10) continue;
        for (const leaves of leaving) await store.delete(leaves, call);
        for (const number of [1, 2 * pageKeys + 1, 9999])
          await store.create(numbered(number), bytesOf("new"), call);
      }
      const standing = keys.filter((key) => !leaving.has(key));
      expect(listed.filter((key) => standing.includes(key))).toEqual(standing);
      expect(listed).toEqual(listed.toSorted());
      expect(new Set(listed).size).toBe(listed.length);
    }),
  );
}
