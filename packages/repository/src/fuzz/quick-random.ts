import { seededRandom, type Random } from "@garrison/core/random";

/** A repeatable stream that costs next to nothing (xorshift, 128 bits), for a million inputs a minute. */
export function quickRandom(seed: string): Random {
  const state = new Uint32Array(4);
  new Uint8Array(state.buffer).set(seededRandom(seed).bytes(16));
  state[0]! |= 1; // never all zero
  const next = (): number => {
    let mixed = state[3]!;
    const first = state[0]!;
    mixed ^= mixed << 11;
    mixed ^= mixed >>> 8;
    state.copyWithin(1, 0, 3);
    mixed ^= first ^ (first >>> 19);
    state[0] = mixed;
    return state[0];
  };
  return {
    bytes(length) {
      const words = new Uint32Array(Math.ceil(length / 4));
      for (let at = 0; at < words.length; at++) words[at] = next();
      return new Uint8Array(words.buffer, 0, length);
    },
  };
}
