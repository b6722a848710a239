import type { ApiClient } from "@garrison/api/client";
import type { Point } from "@garrison/api/schemas/points";
import { hasEnded, type NewRun, type RunWithSteps } from "@garrison/api/schemas/runs";
import { GarrisonError } from "@garrison/core/garrison-error";

/** Starts a run, or follows the one that is under way for the same resource, until it has ended well. */
export async function completeRun(
  api: ApiClient,
  request: NewRun,
  signal: AbortSignal,
): Promise<RunWithSteps> {
  const { id } = await api.call("createRun", { body: request }, signal);
  for (;;) {
    for await (const run of api.watchRun(id, signal)) if (hasEnded(run)) return succeeded(run);
    const run = await api.call("readRun", { params: { runId: id } }, signal);
    if (hasEnded(run)) return succeeded(run);
  }
}

function succeeded(run: RunWithSteps): RunWithSteps {
  if (run.status === "succeeded") return run;
  const reason = run.failure === undefined ? run.status : `${run.failure.code}: ${run.failure.message}`;
  throw new GarrisonError("run-failed", `${run.kind} ${run.id} ended: ${reason}`, {
    details: { steps: run.steps },
  });
}

/** Waits for runs that an earlier start left under way: they go on by themselves. */
export async function settleRuns(api: ApiClient, signal: AbortSignal): Promise<void> {
  const { items } = await api.call("listRuns", { query: {} }, signal);
  for (const run of items.filter((one) => !hasEnded(one))) {
    for await (const seen of api.watchRun(run.id, signal)) if (hasEnded(seen)) break;
  }
}

export interface PointTotals {
  readonly coverage: string;
  readonly bytesRead: number;
  readonly bytesStored: number;
  readonly blocksRead: number;
  readonly blocksReused: number;
}

export function totalsOf(point: Point): PointTotals {
  const sum = (of: (volume: Point["volumes"][number]) => number) =>
    point.volumes.reduce((total, volume) => total + of(volume), 0);
  return {
    coverage: point.volumes.every((volume) => volume.coverage === "changes") ? "changes" : "full",
    bytesRead: sum((volume) => volume.bytesRead),
    bytesStored: sum((volume) => volume.bytesStored),
    blocksRead: sum((volume) => volume.blocksRead),
    blocksReused: sum((volume) => volume.blocksReused),
  };
}
