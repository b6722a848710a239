import type { Clock } from "@garrison/core/clock";
import type { Logger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";
import type { OpenBlockCrew } from "../blocks/block-crew.ts";
import type { BlockSource } from "../disk/block-source.ts";
import type { DomainKeys, SessionGrant } from "../keys/keys.ts";
import type { PointAddress } from "../point/read-point.ts";
import type { ObjectStore } from "../store/object-store.ts";

export interface VolumeProgress {
  readonly volumeId: string;
  /** Blocks looked at, of those known so far to be looked at. */
  readonly blocksDone: number;
  readonly blocksTotal?: number;
  readonly bytesRead: number;
  readonly bytesStored: number;
}

export interface BackupDependencies {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly keys: DomainKeys;
  /** Who hashes and compresses; default: `openBlockCrew`. */
  readonly openCrew?: OpenBlockCrew;
  readonly onProgress?: (progress: VolumeProgress) => void;
}

/** What a session has to know of a volume before it is read. */
export interface SessionVolume {
  readonly volumeId: string;
  readonly deviceName?: string;
  /** Absent: an image. A stream's `sizeBytes` is 0: how long it is shows at its end. */
  readonly kind?: "stream";
  readonly source: Pick<BlockSource, "sizeBytes" | "identity" | "coverage">;
}

export interface BackupVolume extends SessionVolume {
  readonly source: BlockSource;
}

/** What a session is begun and ended with, whatever it reads. */
export interface SessionPlan {
  readonly grant: SessionGrant;
  /** The protected resource (an ARN, or the name of an image). */
  readonly series: string;
  /** What people call the point; default: the series. */
  readonly name?: string;
  /** Session id of the point whose blocks are reused. A source with `changes` needs it. */
  readonly parent?: string;
  /**
   * Points of the domain that are likely to hold the same blocks (of the same image, of the same snapshot), best first. What
   * is read in full is looked for in them, then in the newest points of the domain.
   */
  readonly lookAlikes?: readonly PointAddress[];
  /** Blocks under way at once; default: twice the threads and four more. */
  readonly concurrency?: number;
  /** Threads that hash and compress; default one a core (8 at most), 0 does it in the caller's thread. */
  readonly threads?: number;
  readonly volumes: readonly SessionVolume[];
  /**
   * Promises that the point can't be deleted before then: what it stores is locked for so long and 30 days more, and a
   * keeper prolongs the locks of what it reuses (`planLockExtension`). A store without locks keeps no promise.
   */
  readonly promisedUntilMs?: number;
  /** What is needed to rebuild the resource; sealed into the record under the session's data key. */
  readonly description: Readonly<Record<string, unknown>>;
}

export interface BackupPlan extends SessionPlan {
  readonly volumes: readonly BackupVolume[];
  /**
   * Blocks of each volume with a list of changes that are compared with the source though they are not listed; default 0.
   * One that differs ends the session with `changed-list-lied`: read the source in full then.
   */
  readonly verifySample?: number;
}

export interface VolumeSummary {
  readonly volumeId: string;
  readonly coverage: "full" | "changes";
  readonly blocksListed: number;
  readonly blocksRead: number;
  readonly bytesRead: number;
  readonly blocksStored: number;
  /** Sealed bytes added to the repository for this volume's blocks. */
  readonly bytesStored: number;
  /** Blocks listed whose bytes were in the repository already. */
  readonly blocksReused: number;
  /** Blocks taken over, unread, from what an earlier lane of this session had sealed. */
  readonly blocksResumed: number;
}

export interface BackupSummary {
  /** The session id: the restore point's name. */
  readonly point: string;
  readonly volumes: readonly VolumeSummary[];
  readonly durationMs: number;
}
