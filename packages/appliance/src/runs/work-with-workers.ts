import type { Task, TaskCredentials, TaskResult } from "@garrison/channel/messages";
import { errorTable, type GarrisonErrorCode } from "@garrison/core/error-table";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { StoredRepository } from "../store/repositories.ts";
import { listWorkersOfRun } from "../store/workers.ts";
import { conductTask, type TaskOutcome } from "./conduct-task.ts";
import { provisionWorker } from "./provision-worker.ts";
import { removeWorker } from "./remove-worker.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { RunScope } from "./run-scope.ts";
import type { WorkerPlace } from "./worker-place.ts";
import type { WorkerRef } from "./worker-ref.ts";

export interface Work {
  /** What people call the step: `copy blocks`. */
  readonly title: string;
  readonly place: WorkerPlace;
  readonly repository: StoredRepository;
  /** Called anew in each step that needs it, since it holds keys, which are never stored with a step. */
  readonly task: (laneId: string, call: { readonly signal: AbortSignal }) => Promise<Task>;
  readonly lend: (call: { readonly signal: AbortSignal }) => Promise<TaskCredentials>;
}

/**
 * Has a worker do a task. One that does not start, or is lost, is replaced by another that goes on where it was, up to the
 * limit; the worker and its queues are removed in the end.
 */
export async function workWithWorkers(
  dependencies: RunDependencies,
  scope: RunScope,
  work: Work,
): Promise<TaskResult> {
  const { maxWorkers } = dependencies.limits;
  let last: Exclude<TaskOutcome, { outcome: "done" }> = { outcome: "lost", reason: "none started" };
  for (let attempt = 1; attempt <= maxWorkers; attempt++) {
    const outcome = await tryWorker(dependencies, scope, work);
    if (outcome.outcome === "done") return outcome.result;
    if (outcome.outcome === "failed" && !outcome.retryable) throw taskError(outcome);
    last = outcome;
  }
  if (last.outcome === "failed") throw taskError(last);
  throw new GarrisonError(
    "worker-lost",
    `${maxWorkers} workers were used up; of the last one: ${last.reason}`,
  );
}

/** Between its launch and its first word a worker can be lost in several ways; none of them is the run's fault. */
const startFailures: ReadonlySet<GarrisonErrorCode> = new Set([
  "worker-not-started",
  "aws-capacity",
  "aws-not-found",
  "aws-unavailable",
  "announcement-invalid",
  "deadline-exceeded",
]);

async function tryWorker(dependencies: RunDependencies, scope: RunScope, work: Work): Promise<TaskOutcome> {
  const { place, repository } = work;
  let worker: WorkerRef;
  try {
    worker = await provisionWorker(dependencies, scope, { place, repository });
  } catch (error) {
    if (!isGarrisonError(error) || !startFailures.has(error.code)) throw error;
    const { workerId } = await scope.note("which worker", () => newestWorker(dependencies, scope.runId));
    await removeWorker(dependencies, scope, { worker: { workerId, laneId: "" }, as: "lost" });
    return { outcome: "lost", reason: error.message };
  }
  const outcome = await scope.step(work.title, async (step) => {
    const task = await work.task(worker.laneId, step);
    const order = { runId: scope.runId, worker, place, task, lend: work.lend };
    const result = await conductTask(dependencies, order, step);
    if (result.outcome === "lost") await step.log(`the worker is lost: ${result.reason}`);
    if (result.outcome === "failed") await step.log(`the worker failed: ${result.code}: ${result.message}`);
    return result;
  });
  await removeWorker(dependencies, scope, { worker, as: outcome.outcome === "lost" ? "lost" : "removed" });
  return outcome;
}

async function newestWorker(
  dependencies: RunDependencies,
  runId: string,
): Promise<{ readonly workerId: string }> {
  const workers = await listWorkersOfRun(dependencies.queries, runId);
  return { workerId: workers.at(-1)?.id ?? "" };
}

/** The worker's own code where it is one of ours, so that what helps is said too. */
function taskError(failure: Extract<TaskOutcome, { outcome: "failed" }>): GarrisonError {
  const { code, message } = failure;
  const known: GarrisonErrorCode = Object.hasOwn(errorTable, code)
    ? (code as GarrisonErrorCode)
    : "worker-task-failed";
  return new GarrisonError(known, `the worker could not do its task: ${message}`, {
    details: { workerCode: code },
  });
}
