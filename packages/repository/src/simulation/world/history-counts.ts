/** What happened in a history, or in many: `faults` by kind, `calls` by method, and so on. */
export class HistoryCounts {
  steps = 0;
  readonly #groups = new Map<string, Map<string, number>>();

  add(group: string, kind: string, count = 1): void {
    const kinds = this.#groups.get(group) ?? new Map<string, number>();
    this.#groups.set(group, kinds.set(kind, (kinds.get(kind) ?? 0) + count));
  }

  total(group: string): number {
    return [...this.kindsOf(group)].reduce((sum, [, count]) => sum + count, 0);
  }

  /** By name. */
  kindsOf(group: string): readonly (readonly [string, number])[] {
    return [...(this.#groups.get(group) ?? [])].sort(([left], [right]) => (left < right ? -1 : 1));
  }

  merge(other: HistoryCounts): void {
    this.steps += other.steps;
    for (const [group, kinds] of other.#groups) {
      for (const [kind, count] of kinds) this.add(group, kind, count);
    }
  }
}
