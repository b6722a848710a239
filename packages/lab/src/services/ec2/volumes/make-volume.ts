import { GiB } from "@garrison/core/units";
import type { Lab } from "../../../lab.ts";
import { isPublicSnapshot } from "../images/public-images.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import type { VolumeRecord } from "./volume-record.ts";

export type NewVolume = Omit<VolumeRecord, "volumeId" | "state" | "createdAtMs" | "lineage"> & {
  /** Continues the snapshot's, or starts a new one. */
  readonly lineage?: string;
};

/** Notes a volume that is being created; `fillVolume` then makes its file. */
export function noteVolume(lab: Lab, volume: NewVolume): VolumeRecord {
  const volumeId = newResourceId(lab.random, "vol");
  const source =
    volume.snapshotId === undefined ? undefined : lab.ec2.tables.snapshots.get(volume.snapshotId);
  const record: VolumeRecord = {
    ...volume,
    volumeId,
    lineage: volume.lineage ?? source?.lineage ?? volumeId,
    state: "creating",
    createdAtMs: lab.clock.now(),
  };
  lab.ec2.tables.volumes.put(volumeId, record);
  return record;
}

/**
 * Makes the volume's file, empty or with its snapshot's blocks; running it again starts over. The snapshot is taken
 * hold of before this returns its promise, so it may be deleted meanwhile; one that is gone already is an error.
 */
export async function fillVolume(lab: Lab, volume: VolumeRecord): Promise<void> {
  const { tables, settings } = lab.ec2;
  const { volumeId } = volume;
  const pause = lab.clock.sleep(settings.transitionMs, lab.stopping);
  const [filled] = await Promise.all([fillFile(lab, volume), pause]);
  const current = tables.volumes.get(volumeId);
  if (current === undefined) return await lab.ec2.disks.volumes.delete(volumeId);
  const usable = current.attachment === undefined ? "available" : "in-use";
  tables.volumes.put(volumeId, { ...current, state: filled ? usable : "error" });
}

async function fillFile(lab: Lab, { volumeId, snapshotId, sizeGiB, region }: VolumeRecord): Promise<boolean> {
  const { volumes, snapshots } = lab.ec2.disks;
  const sizeBytes = sizeGiB * GiB;
  if (snapshotId === undefined || isPublicSnapshot(snapshotId, region)) {
    await volumes.create(volumeId, sizeBytes);
    return true;
  }
  if (!snapshots.has(snapshotId)) return false;
  await volumes.restore({ volumeId, sizeBytes, snapshotId }, snapshots, lab.stopping);
  return true;
}

export async function removeVolume(lab: Lab, volumeId: string): Promise<void> {
  lab.ec2.tables.volumes.delete(volumeId);
  await lab.ec2.disks.volumes.delete(volumeId);
}
