import { randomFraction } from "@garrison/core/random";
import { dayMs } from "@garrison/core/units";
import { executePrune } from "../../prune/execute-prune.ts";
import { planPrune } from "../../prune/plan-prune.ts";
import type { PrunePlan } from "../../prune/prune-plan.ts";
import { drawPauseMs, pick } from "../world/history-settings.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import { Violation } from "../world/violation.ts";
import { openKeeper } from "./keeper-actors.ts";
import { hasOldKeys, type Stage } from "./stage.ts";

const againRate = 0.1;

/** One pass; now and then its plan is executed a second time, long after. */
export async function runPruner(stage: Stage, process: SimulatedProcess): Promise<void> {
  const { settings, scheduler, mistake } = stage;
  const { staleMs, repackBelow } = settings;
  // Without a grace, a tombstone counts at once: even one that is younger than the pass. Safety must not hang on it.
  const graceMs = settings.graceMs === 0 ? -dayMs : settings.graceMs;
  stage.model.passBegan(process);
  const keeper = await openKeeper(stage, process);
  const windowPacks = pick(process.random, [8, 1000]);
  const options = { graceMs, staleMs, repackBelow, minimumGainBytes: 1, windowPacks };
  // At rest a person has looked at what has vanished.
  const acceptVanished = scheduler.isCalm && stage.model.hasVanished;
  const planned = await planPrune(keeper, { ...options, acceptVanished, ...mistake?.pruneOptions }, process);
  const plan = (await mistake?.changePlan?.(planned, { stage, process, store: keeper.store })) ?? planned;
  if (!hasOldKeys(stage, keeper)) requireNoDamage(stage, plan);
  const times = !scheduler.isCalm && randomFraction(process.random) < againRate ? 2 : 1;
  for (let time = 0; time < times; time++) {
    if (time > 0) await process.clock.sleep(drawPauseMs(process.random), process.signal);
    const summary = await executePrune(keeper, plan, process);
    const { counts } = scheduler;
    counts.add("keeper", "passes");
    counts.add("keeper", "vanished points accepted", plan.vanished.length);
    counts.add("keeper", "fenced", summary.fenced.length);
    counts.add("keeper", "fences that came too late", summary.notFenced.length);
    counts.add("keeper", "records deleted", summary.recordsDeleted);
    counts.add("keeper", "packs deleted", summary.packsDeleted);
    counts.add("keeper", "packs moved", summary.packsMoved);
    if (!scheduler.isCalm) counts.add("keeper", "packs moved while others ran", summary.packsMoved);
    counts.add("keeper", "forwards deleted", summary.forwardsDeleted);
    counts.add("keeper", "sessions tidied", summary.sessionsTidied);
  }
}

/**
 * Nobody damages anything here: what a pass calls damage, it got wrong. Only of what another pass has reclaimed while it
 * looked may it say that it is missing.
 */
function requireNoDamage(stage: Stage, plan: PrunePlan): void {
  const { held } = stage.model;
  for (const { severity, code, key, message } of plan.findings) {
    if (severity !== "damage") continue;
    const [, kind, session] = key.split("/");
    const isOfOver = code === "session-unsettled" && kind === "session" && !held.isOpen(session!);
    const isOfLive = stage.model.livePoints().some(({ reach }) => reach.has(key));
    const isOfEnded = code === "object-missing" && !isOfLive;
    if (!isOfOver && !isOfEnded) throw new Violation(9, `a pass found ${code} at ${key}: ${message}`);
    stage.scheduler.counts.add("keeper", "false alarms of overtaken passes");
  }
}
