import type { VolumeAttachmentState, VolumeState, VolumeType } from "@aws-sdk/client-ec2";

export interface AttachmentRecord {
  readonly instanceId: string;
  readonly deviceName: string;
  readonly state: VolumeAttachmentState;
  readonly deleteOnTermination: boolean;
  readonly attachedAtMs: number;
}

export interface VolumeRecord {
  readonly volumeId: string;
  readonly accountId: string;
  readonly region: string;
  readonly zone: string;
  readonly sizeGiB: number;
  readonly volumeType: VolumeType;
  readonly iops?: number;
  readonly throughput?: number;
  readonly encrypted: boolean;
  /** Key ARN. */
  readonly kmsKeyId?: string;
  readonly snapshotId?: string;
  /** Snapshots of one lineage can be compared; a volume from a snapshot continues the snapshot's. */
  readonly lineage: string;
  readonly state: VolumeState;
  readonly createdAtMs: number;
  readonly attachment?: AttachmentRecord;
  readonly tags: Readonly<Record<string, string>>;
}
