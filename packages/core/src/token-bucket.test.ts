import { expect, test } from "vitest";
import { TokenBucket } from "./token-bucket.ts";
import { VirtualClock } from "./virtual-clock.ts";

const signal = new AbortController().signal;

test("a full bucket lets its capacity through at once and then one per refill", async () => {
  const clock = new VirtualClock();
  const bucket = new TokenBucket(clock, { capacity: 2, refillPerSecond: 10 });
  const passedAtMs: number[] = [];
  const start = clock.now();
  for (let call = 0; call < 4; call++)
    void bucket.take(signal).then(() => passedAtMs.push(clock.now() - start));
  await clock.advance(1000);
  expect(passedAtMs).toEqual([0, 0, 100, 200]);
});

test("trying an empty bucket is refused instead of waiting", () => {
  const bucket = new TokenBucket(new VirtualClock(), { capacity: 1, refillPerSecond: 1 });
  expect([bucket.tryTake(), bucket.tryTake()]).toEqual([true, false]);
});
