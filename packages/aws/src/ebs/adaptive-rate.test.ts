import { expect, test } from "vitest";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { AdaptiveRate } from "./adaptive-rate.ts";

const signal = new AbortController().signal;

/** How many of a hundred waiting calls are let through in each second. */
async function passedPerSecond(rate: AdaptiveRate, clock: VirtualClock, seconds: number): Promise<number[]> {
  let passed = 0;
  for (let call = 0; call < 100; call++) void rate.take("a", signal).then(() => passed++);
  const counts: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const before = passed;
    await clock.advance(1000);
    counts.push(passed - before);
  }
  return counts;
}

test("calls are let through at the ceiling as long as none is refused", async () => {
  const clock = new VirtualClock();
  const rate = new AdaptiveRate(clock, { ceilingPerSecond: 10 });
  expect(await passedPerSecond(rate, clock, 3)).toEqual([11, 10, 10]);
});

test("a refused call halves the rate", async () => {
  const clock = new VirtualClock();
  const rate = new AdaptiveRate(clock, { ceilingPerSecond: 10 });
  rate.throttled(await rate.take("a", signal));
  expect(rate.perSecond).toBe(5);
  expect(await passedPerSecond(rate, clock, 3)).toEqual([5, 5, 5]);
});

test("calls that were under way together halve it once", async () => {
  const clock = new VirtualClock();
  const rate = new AdaptiveRate(clock, { ceilingPerSecond: 80 });
  const turns = [await rate.take("a", signal), await rate.take("a", signal), await rate.take("a", signal)];
  for (const turn of turns) rate.throttled(turn);
  expect(rate.perSecond).toBe(40);
});

test("the rate never falls below its floor", async () => {
  const clock = new VirtualClock();
  const rate = new AdaptiveRate(clock, { ceilingPerSecond: 64, floorPerSecond: 2 });
  for (let refusal = 0; refusal < 20; refusal++) {
    const turn = rate.take("a", signal);
    await clock.advance(1000);
    rate.throttled(await turn);
  }
  expect(rate.perSecond).toBe(2);
});

test("successes raise it again, to the ceiling and not above", async () => {
  const clock = new VirtualClock();
  const rate = new AdaptiveRate(clock, { ceilingPerSecond: 100 });
  rate.throttled(await rate.take("a", signal));
  for (let call = 0; call < 1000; call++) void rate.take("a", signal).then(() => rate.succeeded());
  const seen: number[] = [];
  for (let second = 0; second < 6; second++) {
    await clock.advance(1000);
    seen.push(Math.round(rate.perSecond));
  }
  expect(seen).toEqual([62, 75, 87, 100, 100, 100]);
});

test("calls that leave the rate unused say nothing about a higher one", async () => {
  const clock = new VirtualClock();
  const rate = new AdaptiveRate(clock, { ceilingPerSecond: 100 });
  rate.throttled(await rate.take("a", signal));
  for (let call = 0; call < 50; call++) {
    await clock.advance(1000);
    await rate.take("a", signal);
    rate.succeeded();
  }
  expect(rate.perSecond).toBe(50);
});

test("queues are served in turn, however many calls one of them waits with", async () => {
  const clock = new VirtualClock();
  const rate = new AdaptiveRate(clock, { ceilingPerSecond: 10 });
  const served: string[] = [];
  for (const queue of ["many", "many", "many", "many", "few", "few"])
    void rate.take(queue, signal).then(() => served.push(queue));
  await clock.advance(1000);
  expect(served).toEqual(["many", "many", "few", "many", "few", "many"]);
});

test("a call that is stopped leaves its place to the next", async () => {
  const clock = new VirtualClock();
  const rate = new AdaptiveRate(clock, { ceilingPerSecond: 1 });
  await rate.take("a", signal);
  const stopping = new AbortController();
  const stopped = rate.take("a", stopping.signal);
  const next = rate.take("a", signal);
  stopping.abort();
  await expect(stopped).rejects.toMatchObject({ code: "aborted" });
  let isServed = false;
  void next.then(() => (isServed = true));
  await clock.advance(1000);
  expect(isServed).toBe(true);
});
