import { launchWorkerInstance } from "@garrison/aws/ec2/launch-worker-instance";
import { readConsoleOutput, readInstanceState } from "@garrison/aws/ec2/instance-state";
import type { Tags } from "@garrison/aws/ec2/tags";
import type { AwsClients } from "@garrison/aws/aws-clients";
import { createWorkerQueue } from "@garrison/aws/queues/worker-queues";
import { isManagedInstanceOnline } from "@garrison/aws/ssm/managed-instance";
import { channelQueueNames } from "@garrison/channel/queue-names";
import { describeError, GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { newLaneId } from "@garrison/repository/point/session-id";
import { changeWorker, createWorkerRecord, readWorkerRecord } from "../store/workers.ts";
import type { StoredRepository } from "../store/repositories.ts";
import { bootstrapWorker } from "./bootstrap-worker.ts";
import { chooseImage, describeLaunch, describeTags } from "./describe-launch.ts";
import { makeResource } from "./make-resource.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { RunScope, StepScope } from "./run-scope.ts";
import { waitUntil } from "./wait-until.ts";
import type { WorkerPlace } from "./worker-place.ts";
import { workerClients, type WorkerRef } from "./worker-ref.ts";

export interface Provisioning {
  readonly place: WorkerPlace;
  readonly repository: StoredRepository;
}

/**
 * Brings up one worker: queues, instance, agent, program. Throws `worker-not-started` when it came to nothing; what was
 * made is recorded either way.
 */
export async function provisionWorker(
  dependencies: RunDependencies,
  scope: RunScope,
  provisioning: Provisioning,
): Promise<WorkerRef> {
  const { place, repository } = provisioning;
  const recorded = await scope.note("choose worker", () => recordWorker(dependencies, scope.runId, place));
  const { expires, ...worker } = recorded;
  const attempt = { dependencies, runId: scope.runId, worker, place, expires };
  await scope.step("open the worker's queues", (step) => openQueues(attempt, step));
  const imageId = await scope.step("choose the worker's image", (step) =>
    chooseImage(dependencies, place, step),
  );
  await scope.step("launch the worker", (step) => launch({ ...attempt, imageId }, step));
  await scope.step("wait for the worker", (step) => waitForAgent(attempt, step));
  await scope.step("start the worker's program", (step) =>
    bootstrapWorker(dependencies, { worker, place, repository }, step),
  );
  return worker;
}

interface Attempt {
  readonly dependencies: RunDependencies;
  readonly runId: string;
  readonly worker: WorkerRef;
  readonly place: WorkerPlace;
  /** Decided once, as all that a launch says: a repeated launch with the same token has to say the same. */
  readonly expires: string;
}

async function recordWorker(
  dependencies: RunDependencies,
  runId: string,
  place: WorkerPlace,
): Promise<WorkerRef & { readonly expires: string }> {
  const { queries, random, clock, limits } = dependencies;
  const workerId = Buffer.from(random.bytes(4)).toString("hex");
  await createWorkerRecord(queries, {
    id: workerId,
    runId,
    accountId: place.account.id,
    region: place.account.region,
    placement: place.placement,
    role: place.role,
    createdAt: new Date(clock.now()),
  });
  const expires = new Date(clock.now() + limits.workerLifeMs).toISOString();
  return { workerId, laneId: newLaneId(random), expires };
}

function workerTags({ dependencies, runId, worker, place, expires }: Attempt): Tags {
  const { installation } = dependencies;
  return describeTags(place, { installation, runId, workerId: worker.workerId, expires });
}

function intentOf({ runId, place }: Attempt, kind: "queue" | "worker", token: string) {
  return { runId, kind, token, accountId: place.account.id, region: place.account.region, role: place.role };
}

async function openQueues(attempt: Attempt, step: StepScope): Promise<void> {
  const { dependencies, worker, place } = attempt;
  const clients = workerClients(dependencies, place);
  const names = channelQueueNames({ installation: dependencies.installation, worker: worker.workerId });
  const open = async (name: string) => {
    const tags = workerTags(attempt);
    const made = await makeResource(dependencies, intentOf(attempt, "queue", name), async () => {
      return (await createWorkerQueue(clients, { name, tags }, step)).queueUrl;
    });
    await step.log("made queue", name);
    return made.resourceId;
  };
  const queueInUrl = await open(names.toWorker);
  const queueOutUrl = await open(names.toAppliance);
  await changeWorker(dependencies.queries, worker.workerId, { queueInUrl, queueOutUrl });
}

async function launch(attempt: Attempt & { readonly imageId: string }, step: StepScope): Promise<void> {
  const { dependencies, worker, place, imageId } = attempt;
  const clients = workerClients(dependencies, place);
  const { instanceType } = place.account.workerConfiguration;
  const token = `garrison-${dependencies.installation}-${worker.workerId}`;
  const made = await makeResource(dependencies, intentOf(attempt, "worker", token), async () => {
    const { instanceId } = await launchWorkerInstance(
      clients,
      { ...describeLaunch(place, imageId), token, tags: workerTags(attempt) },
      step,
    );
    return instanceId;
  });
  await changeWorker(dependencies.queries, worker.workerId, { instanceId: made.resourceId });
  await step.log(`launched a ${instanceType} from ${imageId}`, made.resourceId);
}

const endedStates = ["shutting-down", "terminated", "stopping", "stopped"];

async function waitForAgent(attempt: Attempt, step: StepScope): Promise<void> {
  const { dependencies, worker, place } = attempt;
  const { clock, limits, queries } = dependencies;
  const clients = workerClients(dependencies, place);
  const { instanceId = "" } = await readWorkerRecord(queries, worker.workerId);
  const what = `the agent of worker ${worker.workerId}`;
  const waiting = {
    what,
    timeoutMs: limits.workerStartMs,
    firstPauseMs: limits.pollFirstMs,
    longestPauseMs: limits.pollLongestMs / 2,
    signal: step.signal,
  };
  try {
    await waitUntil(clock, waiting, async (signal) => {
      if (await isManagedInstanceOnline(clients, instanceId, { signal })) return true;
      const { state, reason } = await readInstanceState(clients, instanceId, { signal });
      if (!endedStates.includes(state)) return undefined;
      throw new GarrisonError(
        "worker-not-started",
        `${instanceId} is ${state}: ${reason ?? "no reason given"}`,
      );
    });
  } catch (error) {
    await logConsole(clients, instanceId, step);
    if (!isGarrisonError(error, "deadline-exceeded")) throw error;
    throw new GarrisonError(
      "worker-not-started",
      `${instanceId} did not register with Systems Manager in ${Math.round(limits.workerStartMs / 60_000)} min`,
      { cause: error },
    );
  }
  await step.log("registered with Systems Manager", instanceId);
}

const consoleTail = 2_000;

/** The only trace of an instance that never registered. */
async function logConsole(clients: AwsClients, instanceId: string, step: StepScope): Promise<void> {
  if (step.signal.aborted) return;
  try {
    const output = await readConsoleOutput(clients, instanceId, step);
    if (output !== "") await step.log(`its console ends: ${output.slice(-consoleTail)}`, instanceId);
  } catch (error) {
    // The run fails for the reason it came here with.
    await step.log(`its console can't be read: ${describeError(error)}`, instanceId);
  }
}
