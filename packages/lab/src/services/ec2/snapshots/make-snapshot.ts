import { describeError } from "@garrison/core/garrison-error";
import { GiB } from "@garrison/core/units";
import { writtenBytes } from "../../../disks/snapshot-index.ts";
import type { Lab } from "../../../lab.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import type { VolumeRecord } from "../volumes/volume-record.ts";
import type { SnapshotRecord } from "./snapshot-record.ts";

export interface SnapshotWish {
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Notes a snapshot of a volume, pending; `captureSnapshot` then reads the volume. */
export function noteSnapshot(lab: Lab, volume: VolumeRecord, wish: SnapshotWish): SnapshotRecord {
  const record: SnapshotRecord = {
    snapshotId: newResourceId(lab.random, "snap"),
    accountId: volume.accountId,
    region: volume.region,
    volumeId: volume.volumeId,
    lineage: volume.lineage,
    sizeGiB: volume.sizeGiB,
    state: "pending",
    startedAtMs: lab.clock.now(),
    description: wish.description,
    encrypted: volume.encrypted,
    ...(volume.kmsKeyId === undefined ? {} : { kmsKeyId: volume.kmsKeyId }),
    tags: wish.tags,
  };
  lab.ec2.tables.snapshots.put(record.snapshotId, record);
  return record;
}

/**
 * Reads the volume as it is now: whoever writes to it after the call was answered doesn't change the snapshot. It stays
 * pending a little longer, as on AWS; one that can't be read ends in error.
 */
export async function captureSnapshot(lab: Lab, snapshot: SnapshotRecord): Promise<void> {
  const { disks, settings } = lab.ec2;
  const { snapshotId, lineage, sizeGiB } = snapshot;
  const header = { snapshotId, lineage, sizeBytes: sizeGiB * GiB };
  try {
    await disks.snapshots.capture(header, disks.volumes.path(snapshot.volumeId), lab.stopping);
  } catch (error) {
    return failSnapshot(lab, snapshotId, describeError(error));
  }
  // Deleted while it was read.
  if (!lab.ec2.tables.snapshots.has(snapshotId)) return await disks.snapshots.delete(snapshotId);
  lab.ec2.later(settings.snapshotMs, () => completeSnapshot(lab, snapshotId));
}

/** pending -> completed; a no-op for a snapshot that was deleted meanwhile. */
export function completeSnapshot(lab: Lab, snapshotId: string): void {
  const { disks, tables } = lab.ec2;
  const current = tables.snapshots.get(snapshotId);
  if (current === undefined) return;
  tables.snapshots.put(snapshotId, {
    ...current,
    state: "completed",
    completedAtMs: lab.clock.now(),
    fullSizeBytes: writtenBytes(disks.snapshots.index(snapshotId)),
  });
}

export function failSnapshot(lab: Lab, snapshotId: string, stateMessage: string): void {
  const current = lab.ec2.tables.snapshots.get(snapshotId);
  if (current !== undefined)
    lab.ec2.tables.snapshots.put(snapshotId, { ...current, state: "error", stateMessage });
}

export async function removeSnapshot(lab: Lab, snapshotId: string): Promise<void> {
  lab.ec2.tables.snapshots.delete(snapshotId);
  await lab.ec2.disks.snapshots.delete(snapshotId);
}
