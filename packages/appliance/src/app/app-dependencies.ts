import type { SweepPlan, SweepResult } from "@garrison/api/schemas/sweep";
import type { DurableRuns } from "../runs/durable-runs.ts";
import type { RunDependencies } from "../runs/run-dependencies.ts";

export interface AppCall {
  readonly signal: AbortSignal;
}

/** One sweep at a time: who asks while one runs gets that one's result. */
export interface Sweeper {
  plan(call: AppCall): Promise<SweepPlan>;
  execute(): Promise<SweepResult>;
}

/** What the operations of the API work with. */
export interface AppDependencies extends RunDependencies {
  readonly durableRuns: DurableRuns;
  readonly sweeper: Sweeper;
}
