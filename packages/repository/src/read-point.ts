import { GarrisonError } from "@garrison/core/garrison-error";
import type { VolumeSummary } from "./backup-plan.ts";
import type { DomainKeys } from "./keys.ts";
import type { ObjectStore, StoreCall } from "./object-store.ts";

export interface PointVolume extends VolumeSummary {
  readonly deviceName?: string;
  readonly sizeBytes: number;
  /** What was read (`ebs:snap-...`). */
  readonly identity: string;
  /** Blocks that the point holds, zero ones not counted. */
  readonly blocksHeld: number;
}

export interface RestorePoint {
  readonly sessionId: string;
  readonly series: string;
  readonly name: string;
  /** When the session was begun. */
  readonly createdAtMs: number;
  readonly durationMs: number;
  readonly parent?: string;
  readonly volumes: readonly PointVolume[];
  /** Present when the point's session data key was given. */
  readonly description?: Readonly<Record<string, unknown>>;
}

export interface ReadPointDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  /** Opens the description. */
  readonly dataKey?: Uint8Array;
}

export interface PointAddress {
  readonly series: string;
  readonly sessionId: string;
}

/** Reads one point. Throws `point-missing`, `point-ended`, or what is wrong with the record. */
export async function readPoint(
  _dependencies: ReadPointDependencies,
  _address: PointAddress,
  _call: StoreCall,
): Promise<RestorePoint> {
  throw new GarrisonError("internal", "reading points is not wired yet");
}

/** Ids of the sessions whose data keys a restore of this point needs, ascending. */
export async function sessionsOfPoint(
  _dependencies: ReadPointDependencies,
  _address: PointAddress,
  _call: StoreCall,
): Promise<readonly string[]> {
  throw new GarrisonError("internal", "reading points is not wired yet");
}
