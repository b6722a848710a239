import type { ApiClient } from "@garrison/api/client";
import type { Run, RunWithSteps } from "@garrison/api/schemas/runs";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { CliContext } from "../cli-context.ts";
import { describeRun } from "./describe-run.ts";

const endedStatuses = ["succeeded", "failed", "cancelled"];

export interface Following {
  readonly api: ApiClient;
  readonly run: Run;
  readonly wait: true | undefined;
  readonly json: true | undefined;
}

/** Prints a run that was started; with `wait`, its log as it goes on, and its end. Exit code 1 unless it succeeded. */
export async function followRun(context: CliContext, following: Following): Promise<void> {
  const { api, run, json } = following;
  if (following.wait !== true) {
    context.stdout.write(
      json === true
        ? `${JSON.stringify(run)}\n`
        : `Started ${run.id}. Follow it: garrison runs show ${run.id}\n`,
    );
    return;
  }
  const ended = await watch(api, run.id, context);
  context.stdout.write(json === true ? `${JSON.stringify(ended)}\n` : describeRun(ended));
  if (ended.status !== "succeeded") context.setExitCode(1);
}

async function watch(api: ApiClient, runId: string, context: CliContext): Promise<RunWithSteps> {
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
      if (endedStatuses.includes(run.status)) return run;
    }
    if (context.signal.aborted)
      throw new GarrisonError("aborted", `${runId} goes on; it is no longer followed`);
  }
}
