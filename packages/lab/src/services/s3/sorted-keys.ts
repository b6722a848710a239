/** Keys in S3's order (by UTF-8 bytes, which JavaScript's own order isn't beyond the BMP), with cheap insertion. */
export class SortedKeys {
  readonly #keys: string[] = [];

  static from(keys: Iterable<string>): SortedKeys {
    const sorted = new SortedKeys();
    for (const key of [...keys].sort(compareKeys)) sorted.#keys.push(key);
    return sorted;
  }

  get size(): number {
    return this.#keys.length;
  }

  add(key: string): void {
    const at = this.lowerBound(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  remove(key: string): void {
    const at = this.lowerBound(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  at(index: number): string | undefined {
    return this.#keys[index];
  }

  /** The position of the first key that isn't before `key`. */
  lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Order of UTF-8 bytes. Code units differ from it only where a surrogate meets a unit above it. */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
