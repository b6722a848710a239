export type Acceptance = "fresh" | "duplicate" | "beyond";

/**
 * Puts numbered items back in order. Holds those that came early, at most `size` beyond the last finished one; what is
 * further ahead is refused (the sender never has more than that under way, and repeats).
 */
export class ReceiveWindow<Item> {
  readonly #size: number;
  readonly #held = new Map<number, Item>();
  #finished: number;

  constructor(size: number, finished: number) {
    this.#size = size;
    this.#finished = finished;
  }

  /** Greatest sequence that is finished; all before it are too. */
  get finished(): number {
    return this.#finished;
  }

  accept(sequence: number, item: Item): Acceptance {
    if (sequence <= this.#finished || this.#held.has(sequence)) return "duplicate";
    if (sequence > this.#finished + this.#size) return "beyond";
    this.#held.set(sequence, item);
    return "fresh";
  }

  /** The next item in order, if it has come. It stays until it is finished. */
  first(): Item | undefined {
    return this.#held.get(this.#finished + 1);
  }

  /** Marks the next item as done with; sequences must come one by one. */
  finish(sequence: number): void {
    if (sequence !== this.#finished + 1 || !this.#held.delete(sequence)) {
      throw new RangeError(`${sequence} is not the next of the window, ${this.#finished + 1} is`);
    }
    this.#finished = sequence;
  }
}
