import type { BlockCrew } from "../blocks/block-crew.ts";
import type { PointRecord } from "../format/point-record.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore } from "../store/object-store.ts";
import type { Repository } from "../keys/open-repository.ts";
import type { VolumeReader } from "../point/volume-reader.ts";

export type CheckLevel = "structure" | "full";

export interface Finding {
  /** `damage`: bytes of a point are lost or wrong. `notice`: something a person should know. */
  readonly severity: "damage" | "notice";
  /** An error code of the table, or `foreign-object`, `table-wrong`, `tombstone-unsigned`, `point-vanished`. */
  readonly code: string;
  /** The object it is about. */
  readonly key: string;
  readonly message: string;
  readonly point?: string;
  readonly volumeId?: string;
  /** Bytes of the volume that are hit. */
  readonly range?: { readonly offset: number; readonly length: number };
}

export interface CheckDependencies {
  readonly store: ObjectStore;
  readonly repository: Repository;
}

export interface CheckPlan {
  readonly level: CheckLevel;
  readonly domain: string;
  /** Threads that open and compare blocks; default 2. */
  readonly threads?: number;
}

/** What the parts of a check share. */
export interface DomainCheck extends CheckDependencies {
  readonly keys: DomainKeys;
  readonly crew: BlockCrew;
  readonly plan: CheckPlan;
}

/** A volume of a point that is being checked. */
export interface CheckedVolume {
  readonly record: PointRecord;
  readonly reader: VolumeReader;
}
