import { GiB } from "@garrison/core/units";
import type { Lab } from "../../../lab.ts";
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

/** Makes the volume's file: empty, or with its snapshot's blocks. Running it again starts over. */
export async function fillVolume(lab: Lab, volume: VolumeRecord): Promise<void> {
  const { volumes, snapshots } = lab.ec2.disks;
  const sizeBytes = volume.sizeGiB * GiB;
  const { volumeId, snapshotId } = volume;
  if (snapshotId === undefined || !snapshots.has(snapshotId)) await volumes.create(volumeId, sizeBytes);
  else await volumes.restore({ volumeId, sizeBytes, snapshotId }, snapshots, lab.stopping);
  const current = lab.ec2.tables.volumes.get(volumeId);
  if (current === undefined) return await volumes.delete(volumeId);
  const state = current.attachment === undefined ? "available" : "in-use";
  lab.ec2.tables.volumes.put(volumeId, { ...current, state });
}

export async function removeVolume(lab: Lab, volumeId: string): Promise<void> {
  lab.ec2.tables.volumes.delete(volumeId);
  await lab.ec2.disks.volumes.delete(volumeId);
}
