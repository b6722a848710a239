import { describeError } from "@garrison/core/garrison-error";
import { openDeadline } from "@garrison/core/deadline";
import { listLeftOf } from "../store/made-resources.ts";
import { listWorkersOfRun, changeWorker } from "../store/workers.ts";
import { removeMade } from "./remove-made.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { RunScope } from "./run-scope.ts";

const undoTimeoutMs = 5 * 60_000;

/**
 * Removes what the run made and nobody needs, in reverse order. What can't be removed now is left to the sweeper: it
 * stays recorded, and the run's log says so.
 */
export async function undoRun(dependencies: RunDependencies, scope: RunScope): Promise<void> {
  const { queries, clock } = dependencies;
  const left = await scope.note(
    "look for what is left",
    async () => (await listLeftOf(queries, scope.runId)).length,
  );
  if (left > 0) {
    await scope.step("remove what the run made", async (step) => {
      using deadline = openDeadline(step.signal, undoTimeoutMs, "removing what the run made");
      for (const made of await listLeftOf(queries, scope.runId)) {
        try {
          const removed = await removeMade(dependencies, made, { signal: deadline.signal });
          for (const id of removed) await step.log(`removed ${made.kind}`, id);
        } catch (error) {
          if (step.signal.aborted) throw error;
          await step.log(`${made.kind} is left to the sweeper: ${describeError(error)}`, made.resourceId);
        }
      }
    });
  }
  await scope.note("end workers", async () => {
    for (const worker of await listWorkersOfRun(queries, scope.runId)) {
      if (worker.endedAt !== undefined) continue;
      await changeWorker(queries, worker.id, { status: "removed", endedAt: new Date(clock.now()) });
    }
  });
}
