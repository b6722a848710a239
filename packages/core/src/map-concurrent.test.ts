import { expect, test } from "vitest";
import { mapConcurrent } from "./map-concurrent.ts";

const signal = new AbortController().signal;

test("results come in the source's order whatever ends first", async () => {
  const results: number[] = [];
  const later = (n: number) => new Promise<number>((resolve) => setTimeout(() => resolve(n), 10 - n));
  for await (const n of mapConcurrent([1, 5, 3, 9], { concurrency: 3, signal }, later)) results.push(n);
  expect(results).toEqual([1, 5, 3, 9]);
});

test("no more calls are under way than allowed", async () => {
  let underWay = 0;
  let most = 0;
  const call = async () => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 1));
    underWay--;
  };
  for await (const _ of mapConcurrent(Array(20).fill(0), { concurrency: 4, signal }, call));
  expect(most).toBe(4);
});

test("the first error is thrown and the source is read no further", async () => {
  let read = 0;
  function* source() {
    for (;;) yield read++;
  }
  const failing = async (n: number) => {
    if (n === 2) throw new Error("third");
    return n;
  };
  const drain = async () => {
    for await (const _ of mapConcurrent(source(), { concurrency: 2, signal }, failing));
  };
  await expect(drain()).rejects.toThrow("third");
  expect(read).toBeLessThan(6);
});
