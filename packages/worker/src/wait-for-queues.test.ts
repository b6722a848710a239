import { GarrisonError } from "@garrison/core/garrison-error";
import { silentLogger } from "@garrison/core/logger";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { expect, test } from "vitest";
import { waitForQueues } from "./wait-for-queues.ts";

const base = "http://sqs/222222222222/garrison-0a1b2c3d-d4c3b2a1";
const config = {
  installation: "0a1b2c3d",
  worker: "d4c3b2a1",
  run: "run-1",
  region: "eu-central-1",
  queuePrefix: "garrison-0a1b2c3d-d4c3b2a1",
  appliance: { signKey: "", sealKey: "" },
  deadlineMs: 1,
  silenceMs: 60_000,
  blockCallsPerSecond: 1,
};
const { signal } = new AbortController();

function wait(answers: readonly (() => readonly string[])[]) {
  const clock = new VirtualClock();
  let calls = 0;
  const findQueues = async () => answers[Math.min(calls++, answers.length - 1)]!();
  return { clock, found: waitForQueues({ clock, logger: silentLogger, findQueues }, config, { signal }) };
}

const refused = () => {
  throw new GarrisonError("aws-access-denied", "listing the queues");
};

test("finds both queues of this worker among those of its prefix", async () => {
  const { found } = wait([() => [`${base}-out`, `${base}-in`]]);
  expect(await found).toEqual({ toWorker: `${base}-in`, toAppliance: `${base}-out` });
});

test("keeps looking while the list lags behind or rights have not arrived", async () => {
  const { clock, found } = wait([refused, () => [`${base}-in`], () => [`${base}-in`, `${base}-out`]]);
  await clock.advance(10_000);
  expect(await found).toMatchObject({ toAppliance: `${base}-out` });
});

test("gives up by name, with what the last look said as the cause", async () => {
  const { clock, found } = wait([refused]);
  const failing = expect(found).rejects.toMatchObject({
    code: "worker-queues-missing",
    cause: { code: "aws-access-denied" },
  });
  await clock.advance(70_000);
  await failing;
});
