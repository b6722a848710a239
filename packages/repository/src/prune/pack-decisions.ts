import type { Finding } from "../check/check-plan.ts";
import { packName, type ForwardName, type PackKind, type PackName } from "../format/object-names.ts";
import { MoveCandidates } from "./move-candidates.ts";
import type {
  DeleteReason,
  HeldSession,
  KeepReason,
  KeptPacks,
  PlannedForward,
  PlannedPacks,
  PruneDependencies,
} from "./prune-plan.ts";

export interface SizedPack extends PackName {
  readonly kind: PackKind;
  readonly sizeBytes: number;
}

/** Adds up what a pass decides, pack by pack. */
export class PackDecisions {
  readonly forwards: PlannedForward[] = [];
  readonly candidates: MoveCandidates;
  readonly findings: Finding[] = [];
  readonly #pruner: PruneDependencies;
  readonly #storeTimeMs: number;
  readonly #deletes = new Map<string, PlannedPacks>();
  readonly #kept = new Map<KeepReason, KeptPacks>();
  readonly #held = new Map<string, HeldSession>();
  /** References to the packs that forwards lead to, by lane. */
  readonly #targets = new Map<string, Map<number, number>>();

  constructor(
    pruner: PruneDependencies,
    { storeTimeMs, maxMoves }: { readonly storeTimeMs: number; readonly maxMoves: number },
  ) {
    this.#pruner = pruner;
    this.#storeTimeMs = storeTimeMs;
    this.candidates = new MoveCandidates(maxMoves);
  }

  /** By lane, in the order of names. */
  deletes(): readonly PlannedPacks[] {
    return [...this.#deletes.entries()]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([, each]) => each);
  }

  kept(): readonly KeptPacks[] {
    return [...this.#kept.values()].sort((left, right) => (left.why < right.why ? -1 : 1));
  }

  held(): readonly HeldSession[] {
    return [...this.#held.values()];
  }

  /** Whether a lock holds what bears the session's name. */
  isHeld(session: string): boolean {
    return (this.#pruner.heldUntil?.(session) ?? 0) > this.#storeTimeMs;
  }

  keep(pack: SizedPack, why: KeepReason): void {
    const kept = this.#kept.get(why) ?? { why, packs: 0, sizeBytes: 0 };
    this.#kept.set(why, kept);
    kept.packs++;
    kept.sizeBytes += pack.sizeBytes;
  }

  /** What a lock holds stays until the lock's date. */
  delete(pack: SizedPack, why: DeleteReason): void {
    const { kind, session, lane, number, sizeBytes } = pack;
    if (this.isHeld(session)) {
      const held = this.#held.get(session) ?? this.#holdOf(session);
      held.packs++;
      held.sizeBytes += sizeBytes;
      this.#held.set(session, held);
      this.keep(pack, "held");
      return;
    }
    const key = `${kind}/${session}/${lane}/${why}`;
    const group = this.#deletes.get(key) ?? { kind, session, lane, numbers: [], sizeBytes: 0, why };
    this.#deletes.set(key, group);
    group.numbers.push(number);
    group.sizeBytes += sizeBytes;
  }

  /** A forward that counts leads to this pack from one that roots refer to so often. */
  addTarget(forward: ForwardName, references: number): void {
    const key = laneKey({ ...forward.target, kind: forward.kind });
    const lane = this.#targets.get(key) ?? new Map<number, number>();
    this.#targets.set(key, lane);
    lane.set(forward.target.number, (lane.get(forward.target.number) ?? 0) + references);
  }

  /** References to a target; nothing if no forward that counts leads there. Each target is asked for once. */
  takeTarget(pack: PackName & { readonly kind: PackKind }): number | undefined {
    const lane = this.#targets.get(laneKey(pack));
    const references = lane?.get(pack.number);
    lane?.delete(pack.number);
    return references;
  }

  /** Targets that nobody asked for: they are not there. */
  *untaken(): Generator<PackName & { readonly kind: PackKind }> {
    for (const [key, lane] of this.#targets) {
      const [kind, session, id] = key.split("/") as [PackKind, string, string];
      for (const number of lane.keys()) yield { kind, session, lane: id, number };
    }
  }

  find(severity: Finding["severity"], code: string, about: { pack: SizedPack; message: string }): void {
    const key = packName(this.#pruner.keys.domain, about.pack.kind, about.pack);
    this.findings.push({ severity, code, key, message: about.message });
  }

  #holdOf(session: string): HeldSession {
    return { session, untilMs: this.#pruner.heldUntil!(session)!, packs: 0, sizeBytes: 0 };
  }
}

function laneKey(pack: { readonly kind: PackKind; readonly session: string; readonly lane: string }): string {
  return `${pack.kind}/${pack.session}/${pack.lane}`;
}
