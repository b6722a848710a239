import type { Clock } from "@garrison/core/clock";
import type { Logger } from "@garrison/core/logger";
import type { Finding } from "../check/check-plan.ts";
import type { ForwardName, PackKind, PackName } from "../format/object-names.ts";
import type { SessionBase } from "../format/session-objects.ts";
import type { KeeperDependencies } from "../keeper/sign-object.ts";

export interface PruneDependencies extends KeeperDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Until when the store's locks hold what bears a session's name, by the ledger; nothing where there are no locks. */
  readonly heldUntil?: (session: string) => number | undefined;
  readonly onProgress?: (progress: PruneProgress) => void;
}

export interface PruneProgress {
  readonly step: "sessions" | "audit" | "packs" | "moves" | "delete";
  readonly done: number;
  readonly total?: number;
}

export interface PruneOptions {
  /** How long an ended point's bytes stay, for people and readers; default 7 days. */
  readonly graceMs?: number;
  /** A session without a sign of life for so long is fenced; default 24 hours. */
  readonly staleMs?: number;
  /** Packs of which less than this part is referred to are moved together; default 0.5, 0 moves nothing. */
  readonly repackBelow?: number;
  /** Nothing is moved for less; default 64 MiB. */
  readonly minimumGainBytes?: number;
  /** Packs younger than this are not moved: the storage class charges for it; default 0. */
  readonly minimumAgeMs?: number;
  /** Sessions that whoever started them knows to be dead: fenced at once. */
  readonly disowned?: readonly string[];
  /** Somebody has looked at the points that vanished without a tombstone: they get one, instead of a refusal. */
  readonly acceptVanished?: boolean;
  /** Packs and forwards looked at together, 24 bytes of memory each; all tables are read once for each such window. */
  readonly windowPacks?: number;
  /** Packs that one pass moves at most, those first of which most is gained; default 65,536, which are 2 TiB. */
  readonly maxMoves?: number;
}

/** A restore point whose reach must stay: it counts, or an open session may take chunks from it. */
export type PlannedRoot = SessionBase;

export interface PlannedFence extends SessionBase {
  readonly lastSignMs: number;
  /** `orphaned`: it may reuse what a point reached that has vanished, and whose loss somebody has accepted. */
  readonly why: "stale" | "disowned" | "orphaned";
}

/** Packs of one lane that go for one reason. */
export interface PlannedPacks {
  readonly kind: PackKind;
  readonly session: string;
  readonly lane: string;
  readonly numbers: number[];
  sizeBytes: number;
  readonly why: DeleteReason;
}

/**
 * `unreferenced`: no root refers to it. `dead`: its session can never commit. `moved`: what was needed of it is elsewhere.
 * `fenced`: its session is dead if this pass's fence takes hold; otherwise it stays.
 */
export type DeleteReason = "unreferenced" | "dead" | "moved" | "fenced";

export interface PlannedForward extends ForwardName {
  /** `beaten`: another one speaks for the pack. The others as with packs. */
  readonly why: "beaten" | "unreferenced" | "dead" | "fenced";
}

/** A pack that is mostly not needed any more: the rest of it is to go to a new one. */
export interface MoveCandidate extends PackName {
  readonly kind: PackKind;
  readonly sizeBytes: number;
  readonly items: number;
  /** Upper estimate of the items that are still referred to. */
  readonly references: number;
  /** It is itself the target of forwards. */
  readonly isMoved: boolean;
}

/** What stays, by reason. */
export interface KeptPacks {
  readonly why: KeepReason;
  packs: number;
  sizeBytes: number;
}

/**
 * `referenced`; `open`: its session may still commit; `new`: its session began after the pass; `held`: the store's locks
 * hold it; `unsettled`: something is wrong (see the findings), and until a person has settled it nothing of it goes;
 * `repair`: lost items of another pack are found here.
 */
export type KeepReason = "referenced" | "open" | "new" | "held" | "unsettled" | "repair";

export interface HeldSession {
  readonly session: string;
  readonly untilMs: number;
  packs: number;
  sizeBytes: number;
}

/** What a pass would do; plain data that prints. Nothing of it has been done. */
export interface PrunePlan {
  readonly storeTimeMs: number;
  readonly repackBelow: number;
  readonly roots: readonly PlannedRoot[];
  readonly fences: readonly PlannedFence[];
  /** Ended points whose grace is over: their records go. */
  readonly records: readonly SessionBase[];
  readonly forwards: readonly PlannedForward[];
  readonly packs: readonly PlannedPacks[];
  /** Sessions that have ended: what they left under `session/` goes. */
  readonly sessions: readonly string[];
  /** Notes that newer ones have taken the place of. */
  readonly notes: readonly string[];
  /** `later`: packs beyond what one pass moves. */
  readonly moves: {
    readonly candidates: readonly MoveCandidate[];
    readonly gainBytes: number;
    readonly later: number;
  };
  readonly kept: readonly KeptPacks[];
  readonly held: readonly HeldSession[];
  /** Points that were known and are gone without a tombstone; only with `acceptVanished`. */
  readonly vanished: readonly SessionBase[];
  /** What the next pass will know. */
  readonly catalogue: { readonly points: readonly SessionBase[]; readonly dead: readonly SessionBase[] };
  readonly catalogueIsNew: boolean;
  readonly findings: readonly Finding[];
  /** Greatest session that has moved packs: the next one must sort behind it. */
  readonly newestMoves?: string;
}

export interface PruneSummary {
  readonly fenced: readonly string[];
  /** Sessions that were to be fenced but had ended before. */
  readonly notFenced: readonly string[];
  readonly recordsDeleted: number;
  readonly forwardsDeleted: number;
  readonly packsDeleted: number;
  readonly bytesDeleted: number;
  readonly sessionsTidied: number;
  readonly packsMoved: number;
  readonly bytesMoved: number;
  /** Objects that the store would not delete (locks); they stay for a later pass. */
  readonly refused: readonly string[];
  readonly findings: readonly Finding[];
}
