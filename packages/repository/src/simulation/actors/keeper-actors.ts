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
  const { repository } = equipment;
  const isFirst = repository === stage.first.repository;
  const controlPrivateKey = isFirst ? stage.first.controlPrivateKey : repository.controlPrivateKey(domain);
  return { ...equipment, random, controlPrivateKey, clock, logger };
}

/**
 * Ends a point: the parent of a running session rather than another one, since that is where it could hurt; or one that a
 * later point was made from, since then packs are left of which only a part is needed.
 */
export async function runExpirer(
  stage: Stage,
  running: readonly BackupJob[],
  process: SimulatedProcess,
): Promise<void> {
  const live = stage.model.livePoints();
  const parents = live.filter(({ session }) => running.some(({ parent }) => parent === session));
  const older = live.filter(({ session }) => live.some(({ record }) => record.parent === session));
  const choice = randomFraction(process.random);
  const from = [choice < 0.6 ? parents : [], choice < 0.9 ? older : [], live].find(
    ({ length }) => length > 0,
  );
  const point = from?.[randomBelow(process.random, from.length)];
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
