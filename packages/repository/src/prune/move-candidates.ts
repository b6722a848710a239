import type { MoveCandidate } from "./prune-plan.ts";

/**
 * The packs of which a move would gain most, at most `limit` of them: a candidate takes some 100 bytes, and a large
 * repository may have millions. What finds no room is left to the next pass.
 */
export class MoveCandidates {
  readonly #limit: number;
  #best: MoveCandidate[] = [];
  #later = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(candidate: MoveCandidate): void {
    this.#best.push(candidate);
    if (this.#best.length >= 2 * this.#limit) this.#cut();
  }

  /** In the order of their names, by kind. */
  list(): readonly MoveCandidate[] {
    this.#cut();
    return this.#best.toSorted(byName);
  }

  /** How many packs found no room. */
  get later(): number {
    this.#cut();
    return this.#later;
  }

  #cut(): void {
    if (this.#best.length <= this.#limit) return;
    this.#best.sort((left, right) => gainOf(right) - gainOf(left) || byName(left, right));
    this.#later += this.#best.length - this.#limit;
    this.#best.length = this.#limit;
  }
}

/** Bytes that a move frees, as far as is known before the maps have been walked. */
export function gainOf({ sizeBytes, items, references }: MoveCandidate): number {
  return sizeBytes * (1 - references / items);
}

function byName(left: MoveCandidate, right: MoveCandidate): number {
  if (left.kind !== right.kind) return left.kind === "pack" ? -1 : 1;
  if (left.session !== right.session) return left.session < right.session ? -1 : 1;
  if (left.lane !== right.lane) return left.lane < right.lane ? -1 : 1;
  return left.number - right.number;
}
