/** A rate limit of AWS's: `perSecond` on average, `burst` at once. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** What a test or an owner of a lab may turn. The defaults are AWS's quotas, but small delays. */
export interface Ec2Settings {
  /** pending -> running, stopping -> stopped, creating -> available, ... */
  readonly transitionMs: number;
  /** pending -> completed of a snapshot whose blocks are all there. */
  readonly snapshotMs: number;
  /** Running On-Demand and Spot vCPUs an account may have in a Region. */
  readonly vcpuLimit: number;
  /** How long a request that no network path carries stays silent before its connection breaks: a kernel's patience. */
  readonly unreachableMs: number;
  /** How long terminated instances are still described. */
  readonly terminatedShownMs: number;
  /** Snapshots under way (direct API) an account may have. */
  readonly pendingSnapshotsLimit: number;
  readonly blockTokenMs: number;
  readonly pageTokenMs: number;
  /** Share of first pages of several that are empty though more follow: AWS makes no promise that they aren't. */
  readonly emptyPageShare: number;
  readonly getBlockPerAccount: RateLimit;
  readonly getBlockPerSnapshot: RateLimit;
  readonly putBlockPerAccount: RateLimit;
  readonly putBlockPerSnapshot: RateLimit;
  readonly listBlocksPerAccount: RateLimit;
  readonly startSnapshotPerAccount: RateLimit;
}

const perSecond = (rate: number): RateLimit => ({ perSecond: rate, burst: rate });

export const defaultEc2Settings: Ec2Settings = {
  transitionMs: 200,
  snapshotMs: 200,
  vcpuLimit: 32,
  unreachableMs: 127_000,
  terminatedShownMs: 3_600_000,
  pendingSnapshotsLimit: 100,
  blockTokenMs: 7 * 86_400_000,
  pageTokenMs: 3_600_000,
  emptyPageShare: 0.1,
  getBlockPerAccount: perSecond(1000),
  getBlockPerSnapshot: perSecond(1000),
  putBlockPerAccount: perSecond(1000),
  putBlockPerSnapshot: perSecond(1000),
  listBlocksPerAccount: perSecond(50),
  startSnapshotPerAccount: perSecond(10),
};
