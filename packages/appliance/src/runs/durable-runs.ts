import { DBOS } from "@dbos-inc/dbos-sdk";
import type { Run } from "@garrison/api/schemas/runs";
import { describeError, isGarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import type { Database } from "../store/database/open-database.ts";
import { changeRun, listOpenRuns, readRunRecord, requestCancel } from "../store/runs.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import { cancelledError, RunScope, toFailure } from "./run-scope.ts";
import { undoRun } from "./undo-run.ts";

/** What one kind of run does; what it returns is the run's result. */
export type RunBody = (
  dependencies: RunDependencies,
  scope: RunScope,
  run: Run,
) => Promise<Readonly<Record<string, unknown>>>;

export interface DurableRuns extends AsyncDisposable {
  /** Starts a recorded run; one that was started already goes on undisturbed. */
  start(runId: string): Promise<void>;
  /** Asks a run to stop and to undo what it made. False when it had ended. */
  cancel(runId: string): Promise<boolean>;
}

/** Changes only when runs stored by an older program can't be gone on with. */
const formatVersion = "1";

/**
 * Runs that survive a crash of the appliance: their steps' results are in the database, and an appliance that starts goes
 * on with every open one. The library underneath is one for the process, so only one of these may be open at a time.
 */
export async function openDurableRuns(
  dependencies: RunDependencies,
  bodies: Readonly<Record<Run["kind"], RunBody>>,
  pool: Database["pool"],
): Promise<DurableRuns> {
  const { queries, clock, logger } = dependencies;
  const stopping = new AbortController();
  const cancels = new Map<string, AbortController>();
  const workflow = DBOS.registerWorkflow(
    async (runId: string) => {
      const cancel = new AbortController();
      cancels.set(runId, cancel);
      const signals = { cancelled: cancel.signal, stopping: stopping.signal };
      try {
        await conductRun(dependencies, new RunScope(dependencies, runId, signals), bodies);
      } finally {
        cancels.delete(runId);
      }
    },
    { name: "run" },
  );
  DBOS.setConfig({
    name: "garrison",
    systemDatabasePool: pool,
    useListenNotify: false,
    applicationVersion: formatVersion,
    executorID: "appliance",
    tracingEnabled: false,
    logger: toLibraryLogger(logger),
  });
  await DBOS.launch();
  const start = async (runId: string) => {
    await DBOS.startWorkflow(workflow, { workflowID: runId })(runId);
  };
  for (const run of await listOpenRuns(queries)) await start(run.id);
  return {
    start,
    async cancel(runId) {
      const wasOpen = await requestCancel(queries, runId, new Date(clock.now()));
      cancels.get(runId)?.abort(cancelledError(runId));
      return wasOpen;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(cancelledError("the appliance"));
      await DBOS.shutdown({ deregister: true });
    },
  };
}

async function conductRun(
  dependencies: RunDependencies,
  scope: RunScope,
  bodies: Readonly<Record<Run["kind"], RunBody>>,
): Promise<void> {
  const { queries, clock } = dependencies;
  const { runId } = scope;
  const now = () => new Date(clock.now());
  const run = await scope.note("begin", async () => {
    await changeRun(queries, runId, { status: "running", startedAt: now() });
    return readRunRecord(queries, runId);
  });
  try {
    const result = await bodies[run.kind](dependencies, scope, run);
    await scope.note("end", () => changeRun(queries, runId, { status: "succeeded", endedAt: now(), result }));
  } catch (error) {
    const failure = toFailure(error);
    scope.beginUndo();
    await scope.note("begin undo", () => changeRun(queries, runId, { status: "undoing", failure }));
    await undoRun(dependencies, scope);
    const status = isGarrisonError(error, "run-cancelled") ? "cancelled" : "failed";
    await scope.note("end", () => changeRun(queries, runId, { status, endedAt: now() }));
  }
}

/** What the library tells of its own workings is of no use to anybody here; its warnings are. */
function toLibraryLogger(logger: Logger) {
  const say = (level: "warn" | "error") => (entry: unknown) =>
    logger[level]({ part: "durable runs" }, entry instanceof Error ? describeError(entry) : String(entry));
  const ignore = () => undefined;
  return { info: ignore, debug: ignore, warn: say("warn"), error: say("error") };
}
