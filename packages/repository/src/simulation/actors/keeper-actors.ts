import { randomBelow, randomFraction } from "@garrison/core/random";
import type { KeeperDependencies } from "../../keeper/sign-object.ts";
import { endPoint, fenceSession } from "../../keeper/end-session.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import { equip, type Equipment, type Stage } from "./stage.ts";
import type { BackupJob } from "./run-writer.ts";

export async function openKeeper(
  stage: Stage,
  process: SimulatedProcess,
): Promise<KeeperDependencies & Pick<SimulatedProcess, "clock"> & Pick<Stage, "logger"> & Equipment> {
  const { domain, logger } = stage;
  const { random, clock } = process;
  const equipment = await equip(stage, process);
  const controlPrivateKey = equipment.repository.controlPrivateKey(domain);
  return { ...equipment, random, controlPrivateKey, clock, logger };
}

/** Ends a point: the parent of a running session rather than another one, since that is where it could hurt. */
export async function runExpirer(
  stage: Stage,
  running: readonly BackupJob[],
  process: SimulatedProcess,
): Promise<void> {
  const live = stage.model.livePoints();
  const parents = live.filter(({ session }) => running.some(({ parent }) => parent === session));
  const from = parents.length > 0 && randomFraction(process.random) < 0.8 ? parents : live;
  const point = from[randomBelow(process.random, from.length)];
  if (point === undefined) return;
  const address = { series: point.record.series, sessionId: point.session };
  await endPoint(await openKeeper(stage, process), address, process);
}

/** Declares a running session dead, as an appliance does with a session that it has given up. */
export async function runFencer(
  stage: Stage,
  running: readonly BackupJob[],
  process: SimulatedProcess,
): Promise<void> {
  const job = running[randomBelow(process.random, running.length)];
  if (job !== undefined) await fenceSession(await openKeeper(stage, process), job, process);
}
