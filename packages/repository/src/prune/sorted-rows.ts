const pieceRows = 16_384;
const firstRows = 16;

/**
 * Rows of numbers below 2^32, appended in ascending order of their first column. They lie side by side without an object
 * each; from a certain length on they grow by pieces, so that nothing is copied and little stays empty.
 */
export class SortedRows {
  readonly #width: number;
  readonly #pieces: Uint32Array[] = [];
  #length = 0;

  constructor(width: number) {
    this.#width = width;
  }

  get length(): number {
    return this.#length;
  }

  /** The other columns are 0. Answers the number of the row. */
  append(key: number): number {
    const row = this.#length++;
    this.#makeRoom(row);
    this.set(row, 0, key);
    return row;
  }

  get(row: number, column: number): number {
    return this.#pieces[Math.floor(row / pieceRows)]![(row % pieceRows) * this.#width + column]!;
  }

  set(row: number, column: number, value: number): void {
    this.#pieces[Math.floor(row / pieceRows)]![(row % pieceRows) * this.#width + column] = value;
  }

  /** The first row from `from` on that begins with `key`, or -1. */
  find(key: number, from = 0): number {
    let [low, high] = [from, this.#length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.get(middle, 0) < key) low = middle + 1;
      else high = middle;
    }
    return low < this.#length && this.get(low, 0) === key ? low : -1;
  }

  #makeRoom(row: number): void {
    const last = this.#pieces.at(-1);
    const used = row - Math.max(0, this.#pieces.length - 1) * pieceRows;
    if (last !== undefined && used * this.#width < last.length) return;
    if (last === undefined || used === pieceRows) {
      const rows = last === undefined ? firstRows : pieceRows;
      this.#pieces.push(new Uint32Array(rows * this.#width));
      return;
    }
    const larger = new Uint32Array(Math.min(pieceRows, used * 2) * this.#width);
    larger.set(last);
    this.#pieces[this.#pieces.length - 1] = larger;
  }
}
