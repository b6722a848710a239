import type { ToWorker } from "@garrison/channel/messages";
import { openDeadline } from "@garrison/core/deadline";
import { describeError, GarrisonError } from "@garrison/core/garrison-error";
import { minuteMs, secondMs } from "@garrison/core/units";
import { TaskDesk, tickMs, type TaskDeskDependencies } from "./task-desk.ts";
import { workerVersion } from "./worker-version.ts";

export interface WorkerLimits {
  readonly deadlineMs: number;
  readonly silenceMs: number;
}

/** Why a worker ended. All of them mean that its instance has no purpose any more. */
export type WorkerEnd = "goodbye" | "deadline" | "silence" | "stopped" | "failed";

const drainMs = 5 * secondMs;
const letGoMs = minuteMs;

/**
 * The life of a worker: says hello with what it can do, does the tasks it is given, and ends when it is told goodbye, at
 * its deadline, or when the appliance has said nothing for `silenceMs`. Always ends; closes the channel.
 */
export async function runWorker(
  dependencies: TaskDeskDependencies,
  options: { readonly limits: WorkerLimits; readonly capabilities: Readonly<Record<string, unknown>> },
  call: { readonly signal: AbortSignal },
): Promise<WorkerEnd> {
  const { channel, logger } = dependencies;
  const desk = new TaskDesk(dependencies);
  const over = new AbortController();
  const capabilities = { ...options.capabilities };
  await channel.send({ type: "hello", version: workerVersion, capabilities });
  const end = await Promise.race([
    follow(dependencies, desk),
    watch(dependencies, {
      desk,
      limits: options.limits,
      signal: AbortSignal.any([over.signal, call.signal]),
    }),
  ]);
  over.abort();
  logger.info({ end }, "the worker ends");
  await letGo(desk, end);
  // After a goodbye the appliance wants no more words.
  if (end !== "goodbye") await drain(dependencies);
  await channel.close();
  return end;
}

async function follow({ channel, logger }: TaskDeskDependencies, desk: TaskDesk): Promise<WorkerEnd> {
  try {
    for await (const { sequence, message } of channel.messages()) {
      await obey(desk, message);
      if (message.type !== "goodbye") continue;
      await channel.finish(sequence);
      return "goodbye";
    }
    return "stopped";
  } catch (error) {
    logger.error({ error: describeError(error) }, "the channel has failed");
    return "failed";
  }
}

async function obey(desk: TaskDesk, message: ToWorker): Promise<void> {
  switch (message.type) {
    case "task":
      return desk.accept(message);
    case "credentials":
      return desk.replaceCredentials(message);
    case "cancel":
      return desk.cancel(message.taskId);
    case "heartbeat":
    case "goodbye":
      return undefined;
  }
}

interface Watch {
  readonly desk: TaskDesk;
  readonly limits: WorkerLimits;
  readonly signal: AbortSignal;
}

async function watch(
  { clock, channel }: TaskDeskDependencies,
  { desk, limits, signal }: Watch,
): Promise<WorkerEnd> {
  while (!signal.aborted) {
    if (clock.now() >= limits.deadlineMs) return "deadline";
    if (clock.now() - channel.counters().lastHeardMs >= limits.silenceMs) return "silence";
    desk.tick();
    await clock.sleep(tickMs, signal).catch(() => undefined);
  }
  return "stopped";
}

/** A task that does not let go in time must not keep the instance alive. */
async function letGo(desk: TaskDesk, end: WorkerEnd): Promise<void> {
  const reason = new GarrisonError("aborted", `the worker ended: ${end}`);
  using deadline = openDeadline(new AbortController().signal, letGoMs, "stopping the tasks");
  const tooLate = new Promise<void>((resolve) => deadline.signal.addEventListener("abort", () => resolve()));
  await Promise.race([desk.close(reason), tooLate]);
}

/** The last words are worth a few seconds; the appliance knows what to do without them. */
async function drain({ channel }: TaskDeskDependencies): Promise<void> {
  using deadline = openDeadline(new AbortController().signal, drainMs, "the last acknowledgement");
  await channel.drained({ signal: deadline.signal }).catch(() => undefined);
}
