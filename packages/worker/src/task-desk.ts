import type { Channel } from "@garrison/channel/channel-options";
import type { ToAppliance, ToWorker } from "@garrison/channel/messages";
import type { Clock } from "@garrison/core/clock";
import { describeError, GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import { secondMs } from "@garrison/core/units";
import { ProgressReporter } from "./progress-reporter.ts";
import { LentCredentials } from "./task-credentials.ts";
import type { RunTask } from "./task-context.ts";

export type WorkerChannel = Channel<ToWorker, ToAppliance>;
export type TaskOrder = Extract<ToWorker, { type: "task" }>;
type TaskEnd = Extract<ToAppliance, { type: "result" | "failure" }>;

export interface TaskDeskDependencies {
  readonly channel: WorkerChannel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runTask: RunTask;
}

interface OpenTask {
  readonly order: TaskOrder;
  readonly credentials: LentCredentials;
  readonly progress: ProgressReporter;
  readonly stopping: AbortController;
}

interface EndedTask {
  readonly end: TaskEnd;
  readonly task: string;
}

const maxOpenTasks = 16;
const maxRememberedEnds = 64;
const longestMessage = 4_000;
/** Progress is news, not history: with so many messages unacknowledged there is no point in more of it. */
const progressBacklog = 8;

/**
 * The tasks of one worker: one runs, others wait in the order of their coming. A task that is ordered again under its
 * id while it runs, or after it has succeeded, isn't done twice.
 */
export class TaskDesk {
  readonly #dependencies: TaskDeskDependencies;
  readonly #open = new Map<string, OpenTask>();
  readonly #ends = new Map<string, EndedTask>();
  #turn: Promise<void> = Promise.resolve();

  constructor(dependencies: TaskDeskDependencies) {
    this.#dependencies = dependencies;
  }

  async accept(order: TaskOrder): Promise<void> {
    const { taskId } = order;
    const ended = this.#ends.get(taskId);
    if (ended !== undefined && isAnswered(ended, order)) return this.#dependencies.channel.send(ended.end);
    const known = this.#open.get(taskId);
    if (known !== undefined) return known.credentials.replace(order.credentials);
    if (this.#open.size >= maxOpenTasks) {
      const busy = new GarrisonError("task-busy", `task ${taskId} is refused: ${maxOpenTasks} are waiting`);
      return this.#dependencies.channel.send(failureOf(taskId, busy));
    }
    const task = this.#openTask(order);
    this.#open.set(taskId, task);
    this.#turn = this.#turn.then(() => this.#run(task));
  }

  replaceCredentials({ taskId, credentials }: Extract<ToWorker, { type: "credentials" }>): void {
    this.#open.get(taskId)?.credentials.replace(credentials);
  }

  cancel(taskId: string): void {
    this.#open.get(taskId)?.stopping.abort(new GarrisonError("aborted", `task ${taskId} was cancelled`));
  }

  /** Sends what is news and asks for credentials that run out; called every few seconds. */
  tick(): void {
    const { channel } = this.#dependencies;
    for (const task of this.#open.values()) {
      task.credentials.check();
      if (channel.counters().unacknowledged >= progressBacklog) continue;
      const news = task.progress.take();
      if (news !== undefined) this.#tell(news);
    }
  }

  /** Stops all tasks and waits for them to let go. */
  async close(reason: GarrisonError): Promise<void> {
    for (const task of this.#open.values()) task.stopping.abort(reason);
    await this.#turn;
  }

  #openTask(order: TaskOrder): OpenTask {
    const { taskId } = order;
    const stopping = new AbortController();
    const askForNew = () => this.#tell({ type: "credentials-needed", taskId });
    const { clock } = this.#dependencies;
    const credentials = new LentCredentials({ clock, askForNew }, order.credentials, stopping.signal);
    return { order, credentials, progress: new ProgressReporter(taskId), stopping };
  }

  async #run(task: OpenTask): Promise<void> {
    const { taskId } = task.order;
    const { logger, channel } = this.#dependencies;
    const end = await this.#attempt(task);
    const news = task.progress.take();
    this.#open.delete(taskId);
    this.#remember(task.order, end);
    logger.info({ taskId, outcome: end.type, ...(end.type === "failure" ? end : {}) }, "a task has ended");
    if (news !== undefined && end.type === "result") this.#tell(news);
    await channel.send(end).catch((error: unknown) => this.#logUnsent(end, error));
  }

  async #attempt({ order, credentials, progress, stopping }: OpenTask): Promise<TaskEnd> {
    const { taskId, task } = order;
    const { signal } = stopping;
    try {
      signal.throwIfAborted();
      const report = progress.report.bind(progress);
      const result = await this.#dependencies.runTask(task, { credentials, report, signal });
      return { type: "result", taskId, result };
    } catch (error) {
      return failureOf(taskId, signal.aborted && isGarrisonError(signal.reason) ? signal.reason : error);
    }
  }

  #remember({ taskId, task }: TaskOrder, end: TaskEnd): void {
    this.#ends.delete(taskId);
    this.#ends.set(taskId, { end, task: JSON.stringify(task) });
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > maxRememberedEnds && oldest !== undefined) this.#ends.delete(oldest);
  }

  #tell(message: ToAppliance): void {
    this.#dependencies.channel.send(message).catch((error: unknown) => this.#logUnsent(message, error));
  }

  #logUnsent(message: ToAppliance, error: unknown): void {
    this.#dependencies.logger.warn(
      { type: message.type, error: describeError(error) },
      "a message was not sent",
    );
  }
}

/** A result answers every order of its id; a failure only the order that failed, since another is a new attempt. */
function isAnswered({ end, task }: EndedTask, order: TaskOrder): boolean {
  return end.type === "result" || task === JSON.stringify(order.task);
}

function failureOf(taskId: string, error: unknown): TaskEnd {
  const code = isGarrisonError(error) ? error.code : "internal";
  const retryable = isGarrisonError(error) && error.retryable;
  return { type: "failure", taskId, code, message: describeError(error).slice(0, longestMessage), retryable };
}

/** How often a worker calls `tick`. */
export const tickMs = 3 * secondMs;
