import type { SweepResult } from "@garrison/api/schemas/sweep";
import { describeError } from "@garrison/core/garrison-error";
import type { RunDependencies } from "../runs/run-dependencies.ts";
import { executeSweep, planSweep } from "../runs/sweep.ts";
import type { Sweeper } from "./app-dependencies.ts";

const sweepTimeoutMs = 10 * 60_000;

/** Sweeps at once, then regularly, until the signal fires. */
export function openSweeper(
  dependencies: RunDependencies,
  options: { readonly everyMs: number; readonly signal: AbortSignal },
): Sweeper & { readonly ended: Promise<void> } {
  let underWay: Promise<SweepResult> | undefined;
  const sweep = async (): Promise<SweepResult> => {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(sweepTimeoutMs)]);
    const planned = await planSweep(dependencies, { signal });
    return executeSweep(dependencies, planned, { signal });
  };
  const execute = () => {
    underWay ??= sweep().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
  return {
    plan: async (call) => (await planSweep(dependencies, call)).plan,
    execute,
    ended: sweepRegularly(dependencies, options, execute),
  };
}

async function sweepRegularly(
  { clock, logger }: RunDependencies,
  options: { readonly everyMs: number; readonly signal: AbortSignal },
  execute: () => Promise<SweepResult>,
): Promise<void> {
  while (!options.signal.aborted) {
    try {
      const { removed, failed, foreign } = await execute();
      const counts = { removed: removed.length, failed: failed.length, foreign: foreign.length };
      if (removed.length + failed.length > 0) logger.info(counts, "swept what ended runs had left");
    } catch (error) {
      if (!options.signal.aborted) logger.warn({ error: describeError(error) }, "a sweep failed");
    }
    await clock.sleep(options.everyMs, options.signal).catch(() => undefined);
  }
}
