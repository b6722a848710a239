import { readInstanceState } from "@garrison/aws/ec2/instance-state";
import { openSqsTransport } from "@garrison/aws/sqs-transport";
import { applianceSide, type Channel } from "@garrison/channel/channel-options";
import type { Task, TaskCredentials, TaskResult, ToAppliance, ToWorker } from "@garrison/channel/messages";
import { openChannel } from "@garrison/channel/open-channel";
import { abortError } from "@garrison/core/clock";
import { describeError, GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { minuteMs, secondMs } from "@garrison/core/units";
import { openChannelRecord } from "../store/channel-records.ts";
import { changeRun } from "../store/runs.ts";
import { changeWorker, readWorkerRecord, type WorkerRecord } from "../store/workers.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { StepScope } from "./run-scope.ts";
import type { WorkerPlace } from "./worker-place.ts";
import { workerClients, type WorkerRef } from "./worker-ref.ts";

export interface TaskOrder {
  readonly runId: string;
  readonly worker: WorkerRef;
  readonly place: WorkerPlace;
  readonly task: Task;
  /** Cuts credentials for the task; asked again before they expire. */
  readonly lend: (call: { readonly signal: AbortSignal }) => Promise<TaskCredentials>;
}

/** How a worker's task came out. `lost`: another worker may go on with it. */
export type TaskOutcome =
  | { readonly outcome: "done"; readonly result: TaskResult }
  | { readonly outcome: "lost"; readonly reason: string }
  | {
      readonly outcome: "failed";
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
    };

type WorkerChannel = Channel<ToAppliance, ToWorker>;

const renewBeforeMs = 10 * minuteMs;
const tickMs = 2 * secondMs;
const inspectEveryMs = 6 * secondMs;
const progressEveryMs = secondMs;
const farewellMs = 3 * secondMs;

/**
 * Gives a worker its task and follows it to its end: stores progress, renews the lent credentials, and notices a worker
 * that is gone. Can be broken off and begun again at any point: the order is repeated under the same id, which the worker
 * knows, and a result that was not stored before a crash arrives again.
 */
export async function conductTask(
  dependencies: RunDependencies,
  order: TaskOrder,
  step: StepScope,
): Promise<TaskOutcome> {
  const record = await readWorkerRecord(dependencies.queries, order.worker.workerId);
  const channel = await openWorkerChannel(dependencies, { order, record }, step);
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, step.signal]);
  const desk = new TaskDesk(dependencies, { order, record, channel, step });
  const stopped = stopOn(step.signal, channel, order);
  try {
    await desk.sendTask(signal);
    return await Promise.race([desk.follow(), desk.watch(signal), stopped.promise]);
  } catch (error) {
    if (isGarrisonError(error, "channel-failed")) return { outcome: "lost", reason: describeError(error) };
    throw error;
  } finally {
    stopped.forget();
    over.abort();
    await channel.close();
  }
}

async function openWorkerChannel(
  dependencies: RunDependencies,
  { order, record }: { readonly order: TaskOrder; readonly record: WorkerRecord },
  step: StepScope,
): Promise<WorkerChannel> {
  const { queries, secrets, clock, random, logger, installation } = dependencies;
  const { publicKeys, queueInUrl, queueOutUrl } = record;
  if (publicKeys === undefined || queueInUrl === undefined || queueOutUrl === undefined) {
    throw new GarrisonError("internal", `worker ${record.id} has no keys or queues`);
  }
  const clients = workerClients(dependencies, order.place);
  return openChannel(
    {
      transportIn: openSqsTransport(clients, queueOutUrl),
      transportOut: openSqsTransport(clients, queueInUrl),
      store: openChannelRecord(queries, secrets, record.id),
      clock,
      random,
      logger,
    },
    {
      address: { installation, run: record.runId, worker: record.id },
      side: applianceSide,
      peer: publicKeys,
      onTrouble: (sentence) =>
        void step.log(`warning: ${sentence}`, record.instanceId).catch(() => undefined),
    },
    { signal: step.signal },
  );
}

/** Rejects when the run is stopped, after telling the worker so. */
function stopOn(signal: AbortSignal, channel: WorkerChannel, order: TaskOrder) {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const stop = () => {
    const farewell = isGarrisonError(signal.reason, "run-cancelled")
      ? channel
          .send({ type: "cancel", taskId: order.runId })
          .then(() => channel.drained({ signal: AbortSignal.timeout(farewellMs) }))
          .catch(() => undefined)
      : Promise.resolve();
    void farewell.then(() => reject(abortError(signal)));
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return { promise, forget: () => signal.removeEventListener("abort", stop) };
}

interface TaskDeskOptions {
  readonly order: TaskOrder;
  readonly record: WorkerRecord;
  readonly channel: WorkerChannel;
  readonly step: StepScope;
}

/** One task under way, as the appliance sees it. */
class TaskDesk {
  readonly #dependencies: RunDependencies;
  readonly #options: TaskDeskOptions;
  readonly #taskId: string;
  #credentialsExpireAtMs = 0;
  #inspectedAtMs: number;
  #progressAtMs = 0;

  constructor(dependencies: RunDependencies, options: TaskDeskOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
    // The worker knows an order that is repeated, and a lost worker's successor gets the same one in another lane.
    this.#taskId = options.order.runId;
    this.#inspectedAtMs = dependencies.clock.now();
  }

  async sendTask(signal: AbortSignal): Promise<void> {
    const { order, channel, step, record } = this.#options;
    const credentials = await this.#lend(signal);
    await channel.send({ type: "task", taskId: this.#taskId, task: order.task, credentials });
    await step.log(`gave the worker its task (${order.task.verb})`, record.instanceId);
  }

  async follow(): Promise<TaskOutcome> {
    const { channel } = this.#options;
    for await (const { message } of channel.messages()) {
      const outcome = await this.#hear(message);
      if (outcome !== undefined) return outcome;
    }
    return new Promise(() => undefined); // closed from here: another side of the race has ended it
  }

  async #hear(message: ToAppliance): Promise<TaskOutcome | undefined> {
    const { step, record } = this.#options;
    switch (message.type) {
      case "hello":
        await step.log(`worker ${record.id} says hello (${message.version})`, record.instanceId);
        return undefined;
      case "progress":
        return this.#noteProgress(message.volumes);
      case "credentials-needed":
        return this.#renew();
      case "trouble":
        await step.log(`warning of the worker: ${message.sentence}`, record.instanceId);
        return undefined;
      case "result":
        return { outcome: "done", result: message.result };
      case "failure": {
        const { code, message: text, retryable } = message;
        return { outcome: "failed", code, message: text, retryable };
      }
      case "heartbeat":
        return undefined;
    }
  }

  async #noteProgress(volumes: Extract<ToAppliance, { type: "progress" }>["volumes"]): Promise<undefined> {
    const { clock, queries } = this.#dependencies;
    if (clock.now() - this.#progressAtMs < progressEveryMs) return;
    this.#progressAtMs = clock.now();
    await changeRun(queries, this.#options.order.runId, { progress: { volumes: [...volumes] } });
  }

  /** Looks after the worker until it is gone. */
  async watch(signal: AbortSignal): Promise<TaskOutcome> {
    const { clock, limits } = this.#dependencies;
    const { channel, record } = this.#options;
    for (;;) {
      await clock.sleep(tickMs, signal).catch(() => new Promise(() => undefined));
      if (this.#credentialsExpireAtMs - clock.now() < renewBeforeMs)
        await this.#renew().catch(ignoreTransient);
      const { lastHeardMs } = channel.counters();
      if (clock.now() - lastHeardMs > limits.workerSilenceMs) {
        const minutes = Math.round(limits.workerSilenceMs / minuteMs);
        return { outcome: "lost", reason: `worker ${record.id} has said nothing for ${minutes} min` };
      }
      const gone = await this.#inspect(signal, lastHeardMs);
      if (gone !== undefined) return { outcome: "lost", reason: gone };
    }
  }

  async #inspect(signal: AbortSignal, lastHeardMs: number): Promise<string | undefined> {
    const { clock, queries } = this.#dependencies;
    const { record, order } = this.#options;
    if (clock.now() - this.#inspectedAtMs < inspectEveryMs) return undefined;
    this.#inspectedAtMs = clock.now();
    await changeWorker(queries, record.id, { lastHeardAt: new Date(lastHeardMs) });
    const clients = workerClients(this.#dependencies, order.place);
    const seen = await readInstanceState(clients, record.instanceId ?? "", { signal }).catch(ignoreTransient);
    if (seen === undefined) return undefined;
    const { state, reason } = seen;
    if (state === "running" || state === "pending") return undefined;
    return `${record.instanceId ?? "the instance"} is ${state}${reason === undefined ? "" : ` (${reason})`}`;
  }

  async #renew(): Promise<undefined> {
    const { channel, step } = this.#options;
    const credentials = await this.#lend(step.signal);
    await channel.send({ type: "credentials", taskId: this.#taskId, credentials });
    await step.log("renewed the credentials that the worker was lent");
  }

  async #lend(signal: AbortSignal): Promise<TaskCredentials> {
    const credentials = await this.#options.order.lend({ signal });
    this.#credentialsExpireAtMs = Math.min(credentials.repository.expiresAtMs, credentials.data.expiresAtMs);
    return credentials;
  }
}

/** A look that failed is repeated soon; only silence or the instance's end decides. */
function ignoreTransient(error: unknown): undefined {
  if (isGarrisonError(error) && error.retryable) return undefined;
  throw error;
}
