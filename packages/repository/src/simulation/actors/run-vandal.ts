import { minuteMs } from "@garrison/core/units";
import { pointName } from "../../format/object-names.ts";
import { pick } from "../world/history-settings.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import { openStore, type Stage } from "./stage.ts";

/** A request that was under way when the point was committed may arrive so much later. */
const latestMs = 15 * minuteMs;

/**
 * Deletes the record of a restore point that a catalogue knows, without ending it. No pass may take that for leave to
 * delete what the point refers to. Only where no lane is left that could put another record in its place. Answers whether
 * there was such a point.
 */
export async function runVandal(
  stage: Stage,
  isAtWork: (session: string) => boolean,
  process: SimulatedProcess,
): Promise<boolean> {
  const { model, scheduler, domain } = stage;
  const targets = model.livePoints().filter(({ session, committedAtMs }) => {
    const isSettled = committedAtMs + latestMs < scheduler.nowMs && !isAtWork(session);
    return isSettled && model.isCatalogued(session);
  });
  if (targets.length === 0) return false;
  const { series, session } = pick(process.random, targets);
  scheduler.counts.add("vandal", "records deleted");
  await openStore(stage, process).delete(pointName(domain, series, session), process);
  return true;
}
