import type { PackKind, PackName } from "../format/object-names.ts";

const pagePacks = 256;

interface LaneCounts {
  readonly kind: PackKind;
  readonly session: string;
  readonly lane: string;
  readonly pages: Map<number, Int32Array>;
}

/**
 * How often packs are referred to, as differences are added up: four bytes a pack, since a large volume has two millions
 * of them. An audit counts with it, and shares nothing with the tables that it judges.
 */
export class ReferenceCounts {
  readonly #lanes = new Map<string, LaneCounts>();
  #last: LaneCounts | undefined;

  add(kind: PackKind, name: PackName, difference: number): void {
    const { pages } = this.#laneOf(kind, name);
    const at = Math.floor(name.number / pagePacks);
    let page = pages.get(at);
    if (page === undefined) {
      page = new Int32Array(pagePacks);
      pages.set(at, page);
    }
    page[name.number % pagePacks]! += difference;
  }

  /** Packs whose count is not 0. */
  *entries(): Generator<PackName & { readonly kind: PackKind; readonly count: number }> {
    for (const lane of this.#lanes.values()) yield* entriesOf(lane);
  }

  #laneOf(kind: PackKind, { session, lane }: PackName): LaneCounts {
    const last = this.#last;
    if (last !== undefined && last.lane === lane && last.session === session && last.kind === kind)
      return last;
    const key = kind + session + lane;
    const found = this.#lanes.get(key) ?? { kind, session, lane, pages: new Map() };
    this.#lanes.set(key, found);
    this.#last = found;
    return found;
  }
}

function* entriesOf({ kind, session, lane, pages }: LaneCounts) {
  for (const [at, page] of pages) {
    for (const [slot, count] of page.entries())
      if (count !== 0) yield { kind, session, lane, number: at * pagePacks + slot, count };
  }
}
