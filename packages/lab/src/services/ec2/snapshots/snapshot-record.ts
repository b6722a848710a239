export interface SnapshotRecord {
  readonly snapshotId: string;
  readonly accountId: string;
  readonly region: string;
  /** `vol-ffffffff` when it came from the direct API or a copy, as on AWS. */
  readonly volumeId: string;
  readonly lineage: string;
  readonly sizeGiB: number;
  readonly state: "pending" | "completed" | "error";
  readonly stateMessage?: string;
  readonly startedAtMs: number;
  readonly completedAtMs?: number;
  readonly description: string;
  readonly encrypted: boolean;
  /** Key ARN. */
  readonly kmsKeyId?: string;
  readonly fullSizeBytes?: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Present while and after it is written through the direct API. */
  readonly direct?: DirectWrite;
}

export interface DirectWrite {
  readonly parentSnapshotId?: string;
  readonly timeoutMinutes: number;
  readonly lastWriteAtMs: number;
}

/** The volume id that AWS shows for snapshots without one. */
export const noVolumeId = "vol-ffffffff";
