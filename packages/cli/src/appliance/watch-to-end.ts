import type { ApiClient } from "@garrison/api/client";
import { hasEnded, type RunWithSteps } from "@garrison/api/schemas/runs";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";

/** Tells a run's log on standard error as it goes on, and answers its end. Throws `aborted` when it is no longer followed. */
export async function watchToEnd(
  api: ApiClient,
  runId: string,
  context: Pick<CliContext, "stderr" | "signal">,
): Promise<RunWithSteps> {
  let told = 0;
  for (;;) {
    for await (const run of api.watchRun(runId, context.signal)) {
      const lines = run.steps.flatMap((step) => step.log.map((line) => ({ step: step.name, ...line })));
      for (const { at, step, message, resource } of lines.slice(told)) {
        context.stderr.write(
          `${at.slice(11, 19)}  ${step}: ${message}${resource === undefined ? "" : ` (${resource})`}\n`,
        );
      }
      told = lines.length;
      if (hasEnded(run)) return run;
    }
    if (context.signal.aborted)
      throw new GarrisonError("aborted", `${runId} goes on; it is no longer followed`);
  }
}
