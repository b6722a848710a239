import type { ArchitectureValues, BootModeValues, VolumeType } from "@aws-sdk/client-ec2";

export interface ImageMapping {
  readonly deviceName: string;
  readonly snapshotId?: string;
  readonly sizeGiB: number;
  readonly volumeType: VolumeType;
  readonly iops?: number;
  readonly throughput?: number;
  readonly deleteOnTermination: boolean;
  readonly encrypted: boolean;
}

export interface ImageRecord {
  readonly imageId: string;
  readonly accountId: string;
  readonly ownerAlias?: string;
  readonly region: string;
  readonly name: string;
  readonly description: string;
  readonly architecture: ArchitectureValues;
  readonly rootDeviceName: string;
  readonly virtualizationType: "hvm" | "paravirtual";
  readonly enaSupport: boolean;
  readonly sriovNetSupport?: string;
  readonly bootMode?: BootModeValues;
  readonly imdsSupport?: "v2.0";
  readonly tpmSupport?: "v2.0";
  readonly mappings: readonly ImageMapping[];
  readonly createdAtMs: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly isPublic: boolean;
  /** Whether the lab starts a machine for its instances; other instances only have a state. */
  readonly bootable: boolean;
}
