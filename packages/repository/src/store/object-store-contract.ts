import { describe, expect, test } from "vitest";
import { systemClock } from "@garrison/core/clock";
import type { ObjectStore } from "./object-store.ts";

export interface StoreUnderTest {
  /** Empty, and used by one test only. */
  readonly store: ObjectStore;
  readonly close?: () => Promise<void>;
}

const call = { signal: new AbortController().signal };
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const keysOf = async (store: ObjectStore, prefix: string, startAfter?: string) => {
  const options = startAfter === undefined ? call : { ...call, startAfter };
  return (await collect(store.list(prefix, options))).map((object) => object.key);
};

/** What the engine relies on in a store. Every implementation and decorator runs it. */
export function describeObjectStore(name: string, open: () => Promise<StoreUnderTest>): void {
  const withStore = (run: (store: ObjectStore) => Promise<void>) => async () => {
    const { store, close } = await open();
    try {
      await run(store);
    } finally {
      await close?.();
    }
  };
  describe(`${name} as an object store`, () => {
    describeCreating(withStore);
    describeReading(withStore);
    describeListing(withStore);
  });
}

type WithStore = (run: (store: ObjectStore) => Promise<void>) => () => Promise<void>;

function describeCreating(withStore: WithStore): void {
  test(
    "a second creation of a name is refused and changes nothing",
    withStore(async (store) => {
      expect(await store.create("a/b", bytesOf("first"), call)).toBe("created");
      expect(await store.create("a/b", bytesOf("second"), call)).toBe("exists");
      expect(Buffer.from(await store.read("a/b", call)).toString()).toBe("first");
    }),
  );
  test(
    "of many who create one name at once exactly one succeeds, and its bytes are kept whole",
    withStore(async (store) => {
      const contents = Array.from({ length: 8 }, (_, index) => bytesOf(String(index).repeat(70_000)));
      const outcomes = await Promise.all(contents.map((bytes) => store.create("race", bytes, call)));
      expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(1);
      const kept = await store.read("race", call);
      expect(Buffer.compare(kept, contents[outcomes.indexOf("created")]!)).toBe(0);
    }),
  );
  test(
    "the caller may use the bytes again after creation",
    withStore(async (store) => {
      const bytes = bytesOf("lent");
      await store.create("lent", bytes, call);
      bytes.fill(0);
      expect(Buffer.from(await store.read("lent", call)).toString()).toBe("lent");
    }),
  );
  test(
    "an object that is not there can be deleted, and a deleted name is free again",
    withStore(async (store) => {
      await store.delete("gone", call);
      await store.create("gone", bytesOf("1"), call);
      await store.delete("gone", call);
      await expect(store.read("gone", call)).rejects.toMatchObject({ code: "object-missing" });
      expect(await store.create("gone", bytesOf("2"), call)).toBe("created");
    }),
  );
}

function describeReading(withStore: WithStore): void {
  test(
    "a range is read exactly; one beyond the end is object-truncated",
    withStore(async (store) => {
      await store.create("digits", bytesOf("0123456789"), call);
      const read = async (offset: number, length: number) =>
        Buffer.from(await store.read("digits", { ...call, range: { offset, length } })).toString();
      expect(await read(0, 10)).toBe("0123456789");
      expect(await read(3, 4)).toBe("3456");
      await expect(read(8, 3)).rejects.toMatchObject({ code: "object-truncated" });
      await expect(read(10, 1)).rejects.toMatchObject({ code: "object-truncated" });
    }),
  );
  test(
    "an object that is not there is object-missing",
    withStore(async (store) => {
      await expect(store.read("nothing/here", call)).rejects.toMatchObject({ code: "object-missing" });
    }),
  );
  test(
    "a stopped call does nothing",
    withStore(async (store) => {
      const stopped = { signal: AbortSignal.abort() };
      await expect(store.create("stopped", bytesOf("x"), stopped)).rejects.toThrow();
      expect(await keysOf(store, "stopped")).toEqual([]);
    }),
  );
}

function describeListing(withStore: WithStore): void {
  test(
    "a fresh object is listed at once, with its size",
    withStore(async (store) => {
      await store.create("new/object", bytesOf("12345"), call);
      const [object] = await collect(store.list("new/", call));
      expect(object).toMatchObject({ key: "new/object", sizeBytes: 5 });
      expect(Math.abs(object!.modifiedMs - systemClock.now())).toBeLessThan(86_400_000);
    }),
  );
  test(
    "keys come in the order of their bytes, across folders",
    withStore(async (store) => {
      const keys = ["b", "a/x", "a-b/x", "a.c", "a/b/c", "A", "a0", "a/-", "_"];
      for (const key of keys) await store.create(key, bytesOf(key), call);
      expect(await keysOf(store, "")).toEqual(["A", "_", "a-b/x", "a.c", "a/-", "a/b/c", "a/x", "a0", "b"]);
      expect(await keysOf(store, "a/")).toEqual(["a/-", "a/b/c", "a/x"]);
      expect(await keysOf(store, "a")).toEqual(["a-b/x", "a.c", "a/-", "a/b/c", "a/x", "a0"]);
      expect(await keysOf(store, "", "a/b/c")).toEqual(["a/x", "a0", "b"]);
      expect(await keysOf(store, "zz")).toEqual([]);
    }),
  );
  test(
    "folders are the next part of the names, each once",
    withStore(async (store) => {
      for (const key of ["d/1/a", "d/1/b", "d/10/a", "d/2", "e/1/a"])
        await store.create(key, bytesOf(key), call);
      expect(await collect(store.listFolders("d/", call))).toEqual(["d/1/", "d/10/"]);
      expect(await collect(store.listFolders("", call))).toEqual(["d/", "e/"]);
    }),
  );
}
