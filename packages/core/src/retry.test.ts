import { expect, test } from "vitest";
import { GarrisonError } from "./garrison-error.ts";
import { seededRandom } from "./random.ts";
import { retry } from "./retry.ts";

const instantClock = { now: () => 0, sleep: async () => undefined };
const dependencies = { clock: instantClock, random: seededRandom("retry") };
const signal = new AbortController().signal;
const slow = () => new GarrisonError("deadline-exceeded", "the list did not end");

test("a retryable error is tried again until it succeeds", async () => {
  let tries = 0;
  const result = await retry(dependencies, { signal }, async () => {
    if (++tries < 3) throw slow();
    return "done";
  });
  expect({ result, tries }).toEqual({ result: "done", tries: 3 });
});

test("an error that repeating can't mend is thrown at once", async () => {
  let tries = 0;
  const failing = retry(dependencies, { signal }, async () => {
    tries++;
    throw new GarrisonError("usage", "wrong name");
  });
  await expect(failing).rejects.toMatchObject({ code: "usage" });
  expect(tries).toBe(1);
});

test("attempts are bounded", async () => {
  let tries = 0;
  const policy = { maxAttempts: 4, baseDelayMs: 1, maxDelayMs: 1 };
  const failing = retry(dependencies, { signal, policy }, async () => {
    tries++;
    throw slow();
  });
  await expect(failing).rejects.toMatchObject({ code: "deadline-exceeded" });
  expect(tries).toBe(4);
});
