import { seededRandom, type Random } from "../random.ts";

const slabWords = 16 * 1024;

/** A repeatable stream that costs next to nothing (xorshift, 128 bits), for a million inputs a minute. */
export function quickRandom(seed: string): Random {
  const state = new Uint32Array(4);
  new Uint8Array(state.buffer).set(seededRandom(seed).bytes(16));
  // Four variables: moving words about in an array was a quarter of the time of a whole input.
  let [newest, second, third, oldest] = state as unknown as [number, number, number, number];
  newest |= 1; // never all zero
  const next = (): number => {
    let mixed = oldest ^ (oldest << 11);
    mixed ^= mixed >>> 8;
    [oldest, third, second] = [third, second, newest];
    newest = mixed ^ newest ^ (newest >>> 19);
    return newest;
  };
  // What is drawn lies in shared slabs: a buffer for each number would cost more than all the rest.
  let slab = new Uint32Array(0);
  let used = 0;
  return {
    bytes(length) {
      const words = Math.ceil(length / 4);
      if (used + words > slab.length) {
        slab = new Uint32Array(Math.max(slabWords, words));
        used = 0;
      }
      const start = used;
      used += words;
      for (let at = start; at < used; at++) slab[at] = next();
      return new Uint8Array(slab.buffer, start * 4, length);
    },
  };
}
