import { expect, test } from "vitest";
import { call, openFixture } from "../simulation/engine-fixture.ts";
import { isListed, readIfThere } from "./read-if-there.ts";

test("an object is found in a listing that is in no order", async () => {
  const fixture = openFixture("unsorted");
  const store = {
    ...fixture.store,
    async *list(prefix: string, listing: typeof call) {
      yield* (await Array.fromAsync(fixture.store.list(prefix, listing))).reverse();
    },
  };
  for (const name of ["a/b", "a/b.c", "a/bc"]) await store.create(name, Buffer.from("x"), call);
  expect(await isListed(store, "a/b", call)).toBe(true);
  expect(await isListed(store, "a/", call)).toBe(false);
});

test("an object that goes between the listing and the reading is absent", async () => {
  const fixture = openFixture("vanishing");
  await fixture.store.create("a", Buffer.from("x"), call);
  const store = {
    ...fixture.store,
    read: (key: string, reading: typeof call) => {
      fixture.objects.delete(key);
      return fixture.store.read(key, reading);
    },
  };
  expect(await readIfThere(store, "a", call)).toBeUndefined();
});
