import { describeError } from "@garrison/core/garrison-error";
import { listLeftOf } from "../store/made-resources.ts";
import { changeWorker } from "../store/workers.ts";
import { removeMade } from "./remove-made.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { RunScope } from "./run-scope.ts";
import type { WorkerRef } from "./worker-ref.ts";

/** Terminates the worker and deletes its queues. What can't be removed now stays recorded for the sweeper. */
export async function removeWorker(
  dependencies: RunDependencies,
  scope: RunScope,
  ended: { readonly worker: WorkerRef; readonly as: "removed" | "lost" },
): Promise<void> {
  const { queries, clock } = dependencies;
  const { workerId } = ended.worker;
  await scope.step("remove the worker", async (step) => {
    const left = (await listLeftOf(queries, scope.runId)).filter(({ token }) =>
      token.includes(`-${workerId}`),
    );
    for (const made of left) {
      try {
        const removed = await removeMade(dependencies, made, step);
        for (const id of removed) await step.log(`removed ${made.kind}`, id);
      } catch (error) {
        if (step.signal.aborted) throw error;
        await step.log(`${made.kind} is left to the sweeper: ${describeError(error)}`, made.resourceId);
      }
    }
    await changeWorker(queries, workerId, { status: ended.as, endedAt: new Date(clock.now()) });
  });
}
