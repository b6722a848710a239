import type { ApiClient } from "@garrison/api/client";
import type { Run } from "@garrison/api/schemas/runs";
import type { CliContext } from "../cli-context.ts";
import { describeRun } from "./describe-run.ts";
import { watchToEnd } from "./watch-to-end.ts";

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
  const ended = await watchToEnd(api, run.id, context);
  context.stdout.write(json === true ? `${JSON.stringify(ended)}\n` : describeRun(ended));
  if (ended.status !== "succeeded") context.setExitCode(1);
}
