import { openEbsSnapshotSource } from "@garrison/aws/ebs-snapshot-source";
import type { ImageBackupResult, ImageBackupTask } from "@garrison/channel/messages";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { BackupSummary, BackupVolume } from "@garrison/repository/backup/backup-plan";
import { backupVolumes } from "@garrison/repository/backup/backup-volumes";
import type { BlockSource } from "@garrison/repository/disk/block-source";
import {
  fromBase64,
  openTaskResources,
  type TaskDependencies,
  type TaskResources,
} from "../open-task-resources.ts";
import type { TaskContext } from "../task-context.ts";

/** Blocks under way: EBS answers in some 30 ms, so this keeps the threads fed without a queue of its own. */
const concurrency = 32;

/**
 * Copies the snapshots of one resource into one restore point. Reads only what changed since the parent's snapshots
 * where EBS can tell, everything allocated where it can't, and says why. The same session goes on where another worker
 * was lost.
 */
export async function runImageBackup(
  dependencies: TaskDependencies,
  task: ImageBackupTask,
  context: TaskContext,
): Promise<ImageBackupResult> {
  using resources = openTaskResources(dependencies, task, context);
  const reading: Reading = { dependencies, resources, task };
  const opened: OpenedVolume[] = [];
  try {
    for (const volume of task.volumes) opened.push(await openVolume(reading, volume, context.signal));
    const summary = await backUp(reading, opened, context);
    return resultOf(summary, opened);
  } finally {
    await Promise.allSettled(opened.map((volume) => volume.source.close()));
  }
}

interface Reading {
  readonly dependencies: TaskDependencies;
  readonly resources: TaskResources;
  readonly task: ImageBackupTask;
}

interface OpenedVolume extends BackupVolume {
  readonly fallbackReason?: string;
}

function backUp(
  { dependencies, resources, task }: Reading,
  volumes: readonly BackupVolume[],
  context: TaskContext,
) {
  const { clock, random, logger } = dependencies;
  const { store, keys } = resources;
  const { sessionId, laneId, epoch, dataKey } = task.session;
  return backupVolumes(
    { store, keys, clock, random, logger, onProgress: context.report },
    {
      grant: { sessionId, laneId, epoch, dataKey: fromBase64(dataKey) },
      series: task.series,
      parent: task.parent,
      concurrency,
      volumes,
      description: task.description,
    },
    { signal: context.signal },
  );
}

async function openVolume(
  reading: Reading,
  volume: ImageBackupTask["volumes"][number],
  signal: AbortSignal,
): Promise<OpenedVolume> {
  const { volumeId, deviceName, snapshotId } = volume;
  const baseSnapshotId = reading.task.parent === undefined ? undefined : volume.baseSnapshotId;
  try {
    const source = await openSource(reading, { snapshotId, baseSnapshotId }, signal);
    return { volumeId, deviceName, source };
  } catch (error) {
    const isBaseAtFault = baseSnapshotId !== undefined && isGarrisonError(error) && isAboutBase(error.code);
    if (!isBaseAtFault) throw error;
    reading.dependencies.logger.warn(
      { volumeId, baseSnapshotId, reason: error.message },
      "reading the volume in full",
    );
    const source = await openSource(reading, { snapshotId }, signal);
    return { volumeId, deviceName, source, fallbackReason: error.message };
  }
}

/** A base that is gone, unrelated, or not ours to read: the snapshot itself is judged by the full read that follows. */
function isAboutBase(code: string): boolean {
  return ["ebs-base-unusable", "aws-not-found", "aws-access-denied", "aws-invalid-request"].includes(code);
}

function openSource(
  { dependencies, resources }: Reading,
  snapshots: { readonly snapshotId: string; readonly baseSnapshotId?: string },
  signal: AbortSignal,
): Promise<BlockSource> {
  const { clock, random, blockPace: pace } = dependencies;
  return openEbsSnapshotSource({ clients: resources.data, clock, random, pace, ...snapshots }, { signal });
}

function resultOf(summary: BackupSummary, opened: readonly OpenedVolume[]): ImageBackupResult {
  const reasons = new Map(opened.map(({ volumeId, fallbackReason }) => [volumeId, fallbackReason]));
  return {
    verb: "image-backup",
    point: summary.point,
    volumes: summary.volumes.map((volume) => ({ ...volume, fallbackReason: reasons.get(volume.volumeId) })),
    durationMs: summary.durationMs,
  };
}
