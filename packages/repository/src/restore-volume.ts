import { GarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import type { VolumeProgress } from "./backup-plan.ts";
import type { BlockTarget, TargetSummary } from "./block-target.ts";
import type { DomainKeys, SessionKeys } from "./keys.ts";
import type { ObjectStore, StoreCall } from "./object-store.ts";

export interface RestoreDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly sessionKeys: SessionKeys | ((sessionId: string) => Uint8Array);
  readonly logger: Logger;
  readonly onProgress?: (progress: VolumeProgress) => void;
}

export interface RestorePlan {
  readonly series: string;
  /** Session id of the restore point. */
  readonly point: string;
  readonly volumeId: string;
  readonly target: BlockTarget;
  readonly concurrency?: number;
  readonly threads?: number;
}

export interface RestoreSummary extends TargetSummary {
  readonly volumeId: string;
  readonly sizeBytes: number;
}

/** Writes one volume of a restore point to `target` and completes it. Every block is verified before it is written. */
export async function restoreVolume(
  _dependencies: RestoreDependencies,
  _plan: RestorePlan,
  _call: StoreCall,
): Promise<RestoreSummary> {
  throw new GarrisonError("internal", "restore is not wired yet");
}
