import { expect, test } from "vitest";
import { shareOut } from "./share-out.ts";

const { signal } = new AbortController();

test("what several places did is answered in the order of the list", async () => {
  const late = Promise.withResolvers<string>();
  const tasks = [1, 2, 3].map((number) => async (place: string) => {
    late.resolve("late");
    return `${number} at ${place}`;
  });
  const done = await shareOut([Promise.resolve("early"), late.promise], tasks, { signal });
  expect(done.map((one) => one?.slice(0, 1))).toEqual(["1", "2", "3"]);
  expect(done[0]).toBe("1 at early");
});

test("a place that can't be opened fails the whole", async () => {
  const broken = Promise.reject(new Error("no room"));
  await expect(shareOut([broken], [async () => 1], { signal })).rejects.toThrow("no room");
});

test("once stopped nothing is begun any more, and what was done is answered", async () => {
  const stopping = new AbortController();
  const tasks = [
    async () => 1,
    async () => {
      stopping.abort();
      throw new Error("broken off");
    },
    async () => 3,
  ];
  const done = await shareOut([Promise.resolve("here")], tasks, { signal: stopping.signal });
  expect(done).toEqual([1, undefined, undefined]);
});
