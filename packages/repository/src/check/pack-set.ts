import type { PackAddress } from "../format/pack-container.ts";

/** A set of packs: one bit each. */
export class PackSet {
  readonly #lanes = new Map<string, { readonly lane: Omit<PackAddress, "number">; bits: Uint8Array }>();

  get isEmpty(): boolean {
    return this.#lanes.size === 0;
  }

  add(pack: PackAddress): void {
    const key = laneKey(pack);
    const byte = pack.number >> 3;
    const { kind, session, lane } = pack;
    const known = this.#lanes.get(key) ?? { lane: { kind, session, lane }, bits: new Uint8Array(16) };
    this.#lanes.set(key, known);
    if (byte >= known.bits.length) {
      const larger = new Uint8Array(Math.max(known.bits.length * 2, byte + 1));
      larger.set(known.bits);
      known.bits = larger;
    }
    known.bits[byte]! |= 1 << (pack.number & 7);
  }

  has(pack: PackAddress): boolean {
    const bits = this.#lanes.get(laneKey(pack))?.bits;
    return ((bits?.[pack.number >> 3] ?? 0) & (1 << (pack.number & 7))) !== 0;
  }

  /** Whether it has everything that the other one has. */
  covers(other: PackSet): boolean {
    for (const pack of other) if (!this.has(pack)) return false;
    return true;
  }

  /** Its bits by lane, the lowest bit of the first byte for pack 0. */
  *lanes(): Generator<Omit<PackAddress, "number"> & { readonly bits: Uint8Array }> {
    for (const key of [...this.#lanes.keys()].sort()) {
      const { lane, bits } = this.#lanes.get(key)!;
      yield { ...lane, bits: bits.subarray(0, bits.findLastIndex((byte) => byte !== 0) + 1) };
    }
  }

  /** Takes the place of whatever it had of that lane. */
  setLane(lane: Omit<PackAddress, "number">, bits: Uint8Array): void {
    this.#lanes.set(laneKey(lane), { lane, bits: new Uint8Array(bits) });
  }

  /** In the order of their names. */
  *[Symbol.iterator](): Generator<PackAddress> {
    for (const key of [...this.#lanes.keys()].sort()) {
      const { lane, bits } = this.#lanes.get(key)!;
      for (let number = 0; number < bits.length * 8; number++) {
        if ((bits[number >> 3]! & (1 << (number & 7))) !== 0) yield { ...lane, number };
      }
    }
  }
}

export function laneKey(pack: Omit<PackAddress, "number">): string {
  return `${pack.kind}/${pack.session}/${pack.lane}`;
}
