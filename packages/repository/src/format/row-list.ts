/** The (session, lane) pairs that a page's entries point into by number. */
export class RowList {
  readonly #rows: { readonly session: string; readonly lane: string }[] = [];
  readonly #numbers = new Map<string, number>();

  get length(): number {
    return this.#rows.length;
  }

  /** The row's number; adds the row when it is new. */
  numberOf(session: string, lane: string): number {
    const key = session + lane;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#rows.length);
    return this.#rows.push({ session, lane }) - 1;
  }

  at(number: number): { readonly session: string; readonly lane: string } | undefined {
    return this.#rows[number];
  }

  [Symbol.iterator](): Iterator<{ readonly session: string; readonly lane: string }> {
    return this.#rows[Symbol.iterator]();
  }
}
