import { GarrisonError } from "@garrison/core/garrison-error";
import { seededRandom } from "@garrison/core/random";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { expect, test } from "vitest";
import { openCallPace, type PacedCall } from "./call-pace.ts";

const call = { signal: new AbortController().signal };
const simulating: PacedCall = { service: "iam-simulator", accountId: "222222222222", doing: "simulating" };

/** Starts so many calls at once; answers when each began, in seconds. */
async function beginnings(calls: number, refused: (began: number) => boolean): Promise<number[]> {
  const clock = new VirtualClock();
  const start = clock.now();
  const pace = openCallPace({ clock, random: seededRandom("pace") });
  const began: number[] = [];
  const all = Array.from({ length: calls }, () =>
    pace.run(simulating, call, async () => {
      const second = (clock.now() - start) / 1000;
      began.push(second);
      if (refused(second)) throw Object.assign(new Error("Rate exceeded"), { name: "Throttling" });
    }),
  );
  await clock.advance(120_000);
  await Promise.all(all);
  return began;
}

test("the simulator of an account is asked ten times a second and no more", async () => {
  const began = await beginnings(50, () => false);
  for (const second of [0, 1, 2, 3]) {
    expect(began.filter((at) => at >= second && at < second + 1).length).toBeLessThanOrEqual(11);
  }
  expect(began.at(-1)).toBeLessThan(5.1);
});

test("calls refused for their rate are made again more slowly, and the caller hears nothing of it", async () => {
  const began = await beginnings(50, (at) => at < 2);
  const refused = began.filter((at) => at < 2).length;
  expect(began.length).toBe(50 + refused);
  expect(refused).toBeLessThan(20);
});

test("accounts and services have rates of their own", async () => {
  const clock = new VirtualClock();
  const pace = openCallPace({ clock, random: seededRandom("pace") });
  const done: string[] = [];
  const others = [
    simulating,
    { ...simulating, accountId: "333333333333" },
    { ...simulating, service: "iam" as const },
  ];
  for (const paced of others) void pace.run(paced, call, async () => void done.push(paced.accountId));
  await clock.advance(0);
  expect(done).toHaveLength(3);
});

test("a refusal for want of rights is passed on at once", async () => {
  const pace = openCallPace({ clock: new VirtualClock(), random: seededRandom("pace") });
  const denied = Object.assign(new Error("no"), { name: "AccessDenied" });
  await expect(pace.run(simulating, call, async () => Promise.reject(denied))).rejects.toMatchObject({
    code: new GarrisonError("aws-access-denied", "").code,
  });
});
