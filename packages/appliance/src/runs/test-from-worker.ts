import type { WorkerCheck } from "@garrison/api/schemas/worker-test";
import { readInstanceRecipe } from "@garrison/aws/ec2/read-instance-recipe";
import type { ProbeOutcome, Task } from "@garrison/channel/messages";
import { describeError, isGarrisonError } from "@garrison/core/garrison-error";
import { minuteMs } from "@garrison/core/units";
import { roleOf } from "../access/aws-access.ts";
import { recordIntent } from "../store/made-resources.ts";
import { readWorkerRecord } from "../store/workers.ts";
import { conductTask, type TaskOutcome } from "./conduct-task.ts";
import { lendForBackup } from "./lend-credentials.ts";
import { objectToken } from "./remove-made.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { RunScope, StepScope } from "./run-scope.ts";
import { takeSnapshots, waitForSnapshots } from "./take-snapshots.ts";
import type { WorkerRef } from "./worker-ref.ts";
import type { WorkerTest } from "./worker-test.ts";

interface ReadyTest {
  readonly test: WorkerTest;
  readonly worker: WorkerRef;
}

interface Probe {
  readonly snapshotId: string;
  readonly kmsKeyArns: readonly string[];
}

/** A worker's own disk is small, and a first snapshot of it takes minutes at most. */
const snapshotMs = 30 * minuteMs;

/** What only the running worker can prove: it is given a task, and rights lent for it, as in a backup. */
export async function testFromWorker(
  dependencies: RunDependencies,
  scope: RunScope,
  ready: ReadyTest,
): Promise<readonly WorkerCheck[]> {
  let probe: Probe;
  try {
    probe = await scope.step("snapshot the worker's disk", (step) => takeProbe(dependencies, ready, step));
  } catch (error) {
    if (isGarrisonError(error, "run-cancelled")) throw error;
    const sentence = `no snapshot to list could be made: ${describeError(error)}`;
    return [{ check: "EBS list", verdict: "failed", sentence }];
  }
  const outcome = await scope.step("test from the worker", (step) =>
    conductProbe(dependencies, { ...ready, probe }, step),
  );
  return checksOf(outcome);
}

/** A snapshot that this run made, since no right is ever lent on anybody else's. */
async function takeProbe(
  dependencies: RunDependencies,
  { test, worker }: ReadyTest,
  step: StepScope,
): Promise<Probe> {
  const { account, runId } = test;
  const { queries, access, clock, limits } = dependencies;
  const clients = access.role(roleOf(account, "backup"));
  const { instanceId = "" } = await readWorkerRecord(queries, worker.workerId);
  const { volumes } = await readInstanceRecipe(
    { clients, clock },
    { instanceId, accountId: account.id },
    step,
  );
  const volumeIds = volumes.map(({ volumeId }) => volumeId);
  const taken = await takeSnapshots(dependencies, { runId, account, instanceId, volumeIds, clients }, step);
  const snapshotIds = taken.map((one) => one.snapshotId);
  const patient = { ...dependencies, limits: { ...limits, snapshotMs } };
  await waitForSnapshots(patient, { clients, snapshotIds, what: "the snapshot of the worker's disk" }, step);
  const kmsKeyArns = [...new Set(volumes.flatMap(({ kmsKeyArn }) => kmsKeyArn ?? []))];
  return { snapshotId: snapshotIds[0] ?? "", kmsKeyArns };
}

async function conductProbe(
  dependencies: RunDependencies,
  { test, worker, probe }: ReadyTest & { readonly probe: Probe },
  step: StepScope,
): Promise<TaskOutcome> {
  const { runId, account, place, repository, sessionId } = test;
  const objectKey = `${account.id}/probe/${sessionId}/object`;
  // Before the worker can make it: a killed appliance's successor, or the sweeper, knows what to look for.
  await recordIntent(dependencies.queries, {
    runId,
    kind: "object",
    token: objectToken(repository.id, objectKey),
    accountId: account.id,
    region: account.region,
    role: place.role,
    intendedAt: new Date(dependencies.clock.now()),
  });
  const task: Task = {
    verb: "self-test",
    region: account.region,
    repository: { url: repository.url },
    objectKey,
    snapshotId: probe.snapshotId,
  };
  const { kmsKeyArns } = probe;
  const loan = { runId, account, repository, domain: account.id, sessionId, runs: [runId], kmsKeyArns };
  const lend = (call: { readonly signal: AbortSignal }) => lendForBackup(dependencies, loan, call);
  return conductTask(dependencies, { runId, worker, place, task, lend }, step);
}

function checksOf(outcome: TaskOutcome): readonly WorkerCheck[] {
  if (outcome.outcome !== "done" || outcome.result.verb !== "self-test") {
    return [{ check: "queue round trip", verdict: "failed", sentence: reasonOf(outcome) }];
  }
  const { s3, ebs } = outcome.result;
  const sentence = "the worker answered through its queues, sealed and signed";
  return [
    { check: "queue round trip", verdict: "passed", sentence },
    checkOf("S3 put and get", s3),
    checkOf("EBS list", ebs),
  ];
}

function checkOf(check: WorkerCheck["check"], { isReached, message }: ProbeOutcome): WorkerCheck {
  return { check, verdict: isReached ? "passed" : "failed", sentence: message };
}

function reasonOf(outcome: TaskOutcome): string {
  switch (outcome.outcome) {
    case "done":
      return `the worker did ${outcome.result.verb}`;
    case "lost":
      return `the worker was started and never answered: ${outcome.reason}`;
    case "failed":
      return `the worker refused: ${outcome.code}: ${outcome.message}`;
  }
}
