import { isGarrisonError } from "@garrison/core/garrison-error";
import { randomBelow } from "@garrison/core/random";
import type { Finding } from "../../check/check-plan.ts";
import { checkRepository } from "../../check/check-repository.ts";
import type { BlockTarget } from "../../disk/block-target.ts";
import { listPoints } from "../../point/list-points.ts";
import type { RestorePoint } from "../../point/read-point.ts";
import { restoreVolume } from "../../restore/restore-volume.ts";
import type { RepositoryModel } from "../model/repository-model.ts";
import type { SimulatedProcess } from "../world/simulated-process.ts";
import { Violation } from "../world/violation.ts";
import { pick } from "../world/history-settings.ts";
import { equip, hasOldKeys, isOutdated, type Equipment, type Stage } from "./stage.ts";

/** Lists the restore points, then restores one of them and compares every byte. */
export async function runReader(stage: Stage, process: SimulatedProcess): Promise<void> {
  const { model } = stage;
  const equipment = await equip(stage, process);
  const { store, keys } = equipment;
  const committedBefore = new Set(model.livePoints().map(({ session }) => session));
  const endedBefore = new Set(model.held.tombstones.keys());
  const listed = await listPoints({ store, keys }, {}, process);
  const ids = new Set(listed.map(({ sessionId }) => sessionId));
  for (const id of ids) {
    if (!model.held.points.has(id)) throw new Violation(4, `${id} is listed and was never committed`);
    if (endedBefore.has(id)) throw new Violation(4, `${id} is listed and had ended before`);
  }
  const liveAfter = new Set(model.livePoints().map(({ session }) => session));
  for (const id of committedBefore) {
    if (liveAfter.has(id) && !ids.has(id)) throw new Violation(4, `${id} is a restore point and not listed`);
  }
  const chosen = listed[randomBelow(process.random, listed.length)];
  if (chosen !== undefined) await restorePoint(stage, equipment, chosen);
}

/** Restores every point there is. */
export async function restoreAll(stage: Stage, process: SimulatedProcess): Promise<void> {
  const equipment = await equip(stage, process);
  for (const point of await listPoints(equipment, {}, process)) await restorePoint(stage, equipment, point);
}

/** Restores all volumes. A point that lives on must give all its bytes; one that has ended may also give an error. */
async function restorePoint(stage: Stage, equipment: Equipment, point: RestorePoint): Promise<void> {
  const { domain, openCrew, logger, model } = stage;
  const { process, store, keys, repository } = equipment;
  const sessionKeys = (session: string, epoch: number) => repository.sessionDataKey(domain, session, epoch);
  for (const { volumeId } of point.volumes) {
    const target = openContentTarget(stage);
    const { series, sessionId } = point;
    const plan = { series, point: sessionId, volumeId, target, threads: 0 };
    try {
      await restoreVolume({ store, keys, sessionKeys, logger, openCrew }, plan, process);
    } catch (error) {
      const mayFail =
        isGarrisonError(error) &&
        (error.code === "store-unavailable" ||
          model.held.tombstones.has(sessionId) ||
          model.held.points.get(sessionId)?.isVanished === true ||
          isOutdated(stage, equipment, error));
      if (!mayFail) throw new Violation(9, `a restore of ${sessionId} failed: ${String(error)}`);
      return;
    }
    const wanted = model.contentsOf(sessionId).get(volumeId)!;
    for (const block of new Set([...wanted.keys(), ...target.blocks.keys()])) {
      if (target.blocks.get(block) === wanted.get(block)) continue;
      throw new Violation(9, `block ${block} of ${volumeId} of ${sessionId} was restored wrongly`);
    }
  }
}

/** That a record has vanished, or is not there any more when the check comes to it. */
function isOfVanished(model: RepositoryModel, { code, point }: Finding): boolean {
  if (code === "point-vanished") return model.hasVanished;
  return point !== undefined && model.held.points.get(point)?.isVanished === true;
}

/** A target that keeps the content of each block. */
function openContentTarget(stage: Stage): BlockTarget & { readonly blocks: Map<number, number> } {
  const blocks = new Map<number, number>();
  return {
    isZeroFilled: true,
    blocks,
    write: async ({ index, bytes }) => {
      const content = stage.contents.contentOfWord(bytes);
      if (content === undefined) throw new Violation(9, `block ${index} was restored with nobody's bytes`);
      blocks.set(index, content);
    },
    complete: async () => ({ blocksWritten: blocks.size, bytesWritten: 0, linearChecksum: "" }),
    close: async () => undefined,
  };
}

/** Checks the repository: no damage is found in a point that lived all the while. */
export async function runChecker(stage: Stage, process: SimulatedProcess): Promise<void> {
  const { domain, openCrew, model } = stage;
  const equipment = await equip(stage, process);
  const level = pick(process.random, ["structure", "sample", "full"] as const);
  const dependencies = { ...equipment, openCrew };
  for await (const finding of checkRepository(dependencies, { level, domain, threads: 0 }, process)) {
    // What another pass has reclaimed meanwhile may be missed; nothing that a living point reaches.
    const isOfLive = model.livePoints().some(({ reach }) => reach.has(finding.key));
    const isOfEnded =
      finding.point === undefined
        ? finding.code === "object-missing" && !isOfLive
        : model.held.tombstones.has(finding.point);
    if (isOfEnded || isOfVanished(model, finding) || hasOldKeys(stage, equipment)) continue;
    throw new Violation(9, `a check found ${finding.code} at ${finding.key}: ${finding.message}`);
  }
}
