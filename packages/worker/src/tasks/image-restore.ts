import { openEbsSnapshotTarget } from "@garrison/aws/ebs-snapshot-target";
import type { ImageRestoreResult, ImageRestoreTask } from "@garrison/channel/messages";
import { restoreVolume } from "@garrison/repository/restore/restore-volume";
import {
  fromBase64,
  openTaskResources,
  type TaskDependencies,
  type TaskResources,
} from "../open-task-resources.ts";
import type { TaskContext } from "../task-context.ts";

/**
 * Writes volumes of a restore point into pending snapshots and tells what `CompleteSnapshot` needs of each. Beginning
 * and completing them is the appliance's; putting a block twice is harmless, so another worker may start over.
 */
export async function runImageRestore(
  dependencies: TaskDependencies,
  task: ImageRestoreTask,
  context: TaskContext,
): Promise<ImageRestoreResult> {
  const startedMs = dependencies.clock.now();
  using resources = openTaskResources(dependencies, task, context);
  const volumes: ImageRestoreResult["volumes"] = [];
  for (const volume of task.volumes)
    volumes.push(await restoreOne({ dependencies, resources, task }, volume, context));
  return { verb: "image-restore", volumes, durationMs: dependencies.clock.now() - startedMs };
}

interface Writing {
  readonly dependencies: TaskDependencies;
  readonly resources: TaskResources;
  readonly task: ImageRestoreTask;
}

async function restoreOne(
  { dependencies, resources, task }: Writing,
  { volumeId, snapshotId }: ImageRestoreTask["volumes"][number],
  context: TaskContext,
): Promise<ImageRestoreResult["volumes"][number]> {
  const { clock, random, logger, blockPace: pace } = dependencies;
  const { store, keys, data: clients } = resources;
  const sessionKeys = new Map(Object.entries(task.sessionKeys).map(([id, key]) => [id, fromBase64(key)]));
  const target = openEbsSnapshotTarget({ clients, clock, random, snapshotId, pace });
  try {
    const summary = await restoreVolume(
      { store, keys, sessionKeys, logger, onProgress: context.report },
      { series: task.series, point: task.point, volumeId, target },
      { signal: context.signal },
    );
    const { blocksWritten, bytesWritten, linearChecksum } = summary;
    return { volumeId, snapshotId, blocksWritten, bytesWritten, linearChecksum };
  } finally {
    await target.close();
  }
}
