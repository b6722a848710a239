import { silentLogger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";
import { dayMs } from "@garrison/core/units";
import { defaultLimits, type EngineLimits } from "../backup/engine-limits.ts";
import { quickRandom } from "@garrison/core/fuzz/quick-random";
import { runPruner } from "./actors/run-pruner.ts";
import { restoreAll, runChecker } from "./actors/run-reader.ts";
import type { EngineProps, Stage } from "./actors/stage.ts";
import type { Mistake } from "./mistakes/mistake.ts";
import { checkRest } from "./model/check-rest.ts";
import { FlightWatch } from "./model/flight-watch.ts";
import { RepositoryModel } from "./model/repository-model.ts";
import { ActivityPlan, requireExpectedEnd } from "./plan-activities.ts";
import { drawSettings, pick, type HistorySettings } from "./world/history-settings.ts";
import type { HistoryCounts } from "./world/history-counts.ts";
import { Scheduler } from "./world/scheduler.ts";
import type { ProcessRole, SimulatedProcess } from "./world/simulated-process.ts";
import { carryOut } from "./world/store-request.ts";
import type { TraceLine } from "./world/trace.ts";
import { Violation } from "./world/violation.ts";

const mostLastPasses = 6;

export interface HistoryReport {
  readonly seed: number;
  readonly settings: HistorySettings;
  readonly counts: HistoryCounts;
  readonly trace: readonly TraceLine[];
  /** The first promise that was broken. */
  readonly violation?: Violation;
}

export interface HistoryOptions {
  readonly seed: number;
  readonly mistake?: Mistake;
}

/** Runs one history. Same seed, same history; an error that is no violation is the simulation's own and is thrown. */
export async function runHistory(props: EngineProps, options: HistoryOptions): Promise<HistoryReport> {
  const random = quickRandom(`history ${options.seed}`);
  const settings = drawSettings(random);
  const onPause = (): void => plan.ambush();
  const stage = openStage(props, { ...options, settings, random, onPause });
  const plan = new ActivityPlan(stage, random);
  const { scheduler } = stage;
  const report = { seed: options.seed, settings, counts: scheduler.counts, trace: scheduler.trace };
  try {
    plan.planAll();
    await scheduler.run();
    await comeToRest(stage);
    return report;
  } catch (error) {
    if (error instanceof Violation) return { ...report, violation: error };
    throw error;
  }
}

function openStage(
  props: EngineProps,
  options: HistoryOptions & {
    readonly settings: HistorySettings;
    readonly random: Random;
    readonly onPause: () => void;
  },
): Stage {
  const { settings, random, mistake, onPause } = options;
  const limits = drawLimits(random);
  const flights = new FlightWatch(limits);
  const scheduler: Scheduler = new Scheduler({
    random,
    settings,
    carryOut: mistake?.carryOut ?? carryOut,
    onPause,
    observer: {
      sent: (process, request) => {
        flights.sent(process, request);
        if (request.method === "create") model.sent(request.key, request.bytes!);
      },
      answered: (process, request) => flights.answered(process, request),
      created: (key, bytes, by) => model.created(key, bytes, by),
      deleted: (key, _bytes, by) => (by.role === "vandal" ? model.vandalised(key) : model.deleted(key)),
    },
  });
  const model: RepositoryModel = new RepositoryModel(
    { ...props, graceMs: settings.graceMs, nowMs: () => scheduler.nowMs },
    scheduler.bucket,
  );
  for (const [key, bytes] of props.objects) {
    scheduler.bucket.put(key, { bytes, modifiedMs: scheduler.startMs });
  }
  return { ...props, scheduler, model, settings, limits, logger: silentLogger, mistake };
}

/** Packs of a few chunks, map packs of a few pages, and marks often. */
function drawLimits(random: Random): EngineLimits {
  return {
    ...defaultLimits,
    packBytes: pick(random, [400, 700]),
    mapPackBytes: 3000,
    packsInFlight: pick(random, [1, 2]),
    packsPerMark: pick(random, [1, 3]),
    leavesPerMark: pick(random, [1, 2]),
    recentChunks: 16,
  };
}

/**
 * Nobody is left: two passes, and two after each that has moved something or ended what had vanished, since a pass does not
 * tidy up behind itself. Then everything that is left is needed, whole and readable.
 */
async function comeToRest(stage: Stage): Promise<void> {
  const { scheduler, model, settings } = stage;
  scheduler.isCalm = true;
  const run = async (role: ProcessRole, act: (process: SimulatedProcess) => Promise<void>) => {
    scheduler.spawn({
      name: `last ${role}`,
      role,
      run: act,
      ended: (error) => requireExpectedEnd(stage, error),
    });
    await scheduler.run();
  };
  const hasMoreToDo = ["packs moved", "vanished points accepted"];
  const changed = () =>
    scheduler.counts
      .kindsOf("keeper")
      .reduce((sum, [kind, count]) => sum + (hasMoreToDo.includes(kind) ? count : 0), 0);
  for (let left = 2, passes = 1; left > 0; left--, passes++) {
    if (passes > mostLastPasses) throw new Violation(10, "passes never come to rest");
    const before = changed();
    scheduler.plan(scheduler.nowMs + settings.graceMs + settings.staleMs + dayMs, () => undefined);
    await scheduler.run();
    await run("pruner", (process) => runPruner(stage, process));
    if (changed() > before) left = 2;
  }
  checkRest(model, scheduler.bucket);
  await run("reader", (process) => restoreAll(stage, process));
  await run("checker", (process) => runChecker(stage, process));
}
