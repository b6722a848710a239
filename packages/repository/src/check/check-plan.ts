import type { Clock } from "@garrison/core/clock";
import type { Logger } from "@garrison/core/logger";
import type { BlockCrew, OpenBlockCrew } from "../blocks/block-crew.ts";
import type { KeeperDependencies } from "../keeper/sign-object.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { Repository } from "../keys/open-repository.ts";
import type { ByteSpan } from "../repair/block-runs.ts";
import type { ObjectStore } from "../store/object-store.ts";
import type { DamageList } from "./damage-list.ts";
import type { MovedPacks } from "./moved-packs.ts";

export type CheckLevel = "structure" | "sample" | "full";

/** A volume of a restore point that damage hits. */
export interface HitVolume {
  /** The series' keyed hash. */
  readonly series: string;
  readonly point: string;
  readonly volumeId: string;
  /** Bytes of the volume that are lost, ascending; none when only its table or hooks are. */
  readonly ranges: readonly ByteSpan[];
}

export interface Finding {
  /** `damage`: bytes of a point are lost or wrong. `notice`: something a person should know. */
  readonly severity: "damage" | "notice";
  /** An error code of the table, or `foreign-object`, `table-wrong`, `tombstone-unsigned`, `point-vanished`. */
  readonly code: string;
  /** The object it is about. */
  readonly key: string;
  readonly message: string;
  /** The oldest point that is hit, its volume, and the first bytes of it. */
  readonly point?: string;
  readonly volumeId?: string;
  readonly range?: ByteSpan;
  /** How many volumes of points are hit by damage to one pack, and the first of them (`hitsListed`). */
  readonly hitCount?: number;
  readonly hits?: readonly HitVolume[];
}

export interface CheckDependencies {
  readonly store: ObjectStore;
  readonly repository: Repository;
  /** Who opens and compares blocks; default: `openBlockCrew`. */
  readonly openCrew?: OpenBlockCrew;
  /** Given: what was read and what is lost is noted, for later checks, backups and restores. */
  readonly memory?: {
    readonly clock: Clock;
    readonly random: KeeperDependencies["random"];
    readonly logger: Logger;
  };
}

/** How much of a full check is done now: the packs that were read longest ago come first. */
export interface CheckBudget {
  readonly bytes?: number;
  readonly durationMs?: number;
  /** Packs read within this time are left out. */
  readonly maxAgeMs?: number;
}

export interface CheckPlan {
  readonly level: CheckLevel;
  readonly domain: string;
  /** Threads that open and compare blocks; default one a core (8 at most). */
  readonly threads?: number;
  /** Level `sample`: share of the packs that is read, 0 to 1; default 0.01. */
  readonly share?: number;
  /** Level `sample`: the same seed draws the same packs. */
  readonly seed?: string;
  /** Level `full`: only a part, by what was read when. Needs `memory`. */
  readonly budget?: CheckBudget;
  /** Points told with each finding; all are counted. Default 20. */
  readonly hitsListed?: number;
}

/** What the parts of a check share. */
export interface DomainCheck extends CheckDependencies {
  readonly keys: DomainKeys;
  readonly crew: BlockCrew;
  readonly plan: CheckPlan;
  readonly damage: DamageList;
  readonly moved: MovedPacks;
}
