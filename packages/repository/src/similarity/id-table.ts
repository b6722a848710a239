const wordsPerSlot = 3;
const maxLoad = 0.75;
const smallestSlots = 64;

/** Bytes that a table for so many entries takes. */
export function idTableBytes(entries: number): number {
  let slots = smallestSlots;
  while (slots * maxLoad < entries) slots *= 2;
  return slots * wordsPerSlot * 4;
}

/**
 * Numbers by the first 8 bytes of an id, 12 bytes a slot, in memory that block threads share: they ask `has` while the
 * owner fills it. What a thread sees half written costs a needless question or a missed block, never a wrong one: whoever
 * finds a number compares the whole id.
 */
export class IdTable {
  readonly memory: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #mask: number;
  #length = 0;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Uint32Array(memory);
    this.#mask = this.#words.length / wordsPerSlot - 1;
  }

  static withRoomFor(entries: number): IdTable {
    return new IdTable(new SharedArrayBuffer(idTableBytes(entries)));
  }

  get length(): number {
    return this.#length;
  }

  has(id: Uint8Array): boolean {
    return this.#isHeld(this.#slotOf(id));
  }

  find(id: Uint8Array): number | undefined {
    const at = this.#slotOf(id);
    return this.#isHeld(at) ? this.#words[at + 2] : undefined;
  }

  /** Whether it was added: an id that is there keeps its number, and a full table takes no more. */
  add(id: Uint8Array, value: number): boolean {
    const at = this.#slotOf(id);
    if (at < 0 || this.#isHeld(at) || this.#length >= (this.#mask + 1) * maxLoad) return false;
    this.#words[at + 2] = value;
    this.#words[at + 1] = wordAt(id, 4);
    this.#words[at] = wordAt(id, 0);
    if (this.#isHeld(at)) this.#length++;
    return true;
  }

  clear(): void {
    this.#words.fill(0);
    this.#length = 0;
  }

  #isHeld(at: number): boolean {
    return at >= 0 && (this.#words[at] !== 0 || this.#words[at + 1] !== 0);
  }

  /** Where the id is, or would be; -1 when all slots are taken by others. Ids are keyed hashes: any of their bits will do. */
  #slotOf(id: Uint8Array): number {
    const [high, low] = [wordAt(id, 0), wordAt(id, 4)];
    for (let probe = 0; probe <= this.#mask; probe++) {
      const at = ((low + probe) & this.#mask) * wordsPerSlot;
      const [foundHigh, foundLow] = [this.#words[at], this.#words[at + 1]];
      if ((foundHigh === high && foundLow === low) || (foundHigh === 0 && foundLow === 0)) return at;
    }
    return -1;
  }
}

function wordAt(id: Uint8Array, offset: number): number {
  return ((id[offset]! << 24) | (id[offset + 1]! << 16) | (id[offset + 2]! << 8) | id[offset + 3]!) >>> 0;
}
