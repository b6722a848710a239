import { createHash, randomBytes } from "node:crypto";

/** Randomness as a dependency. Key material comes only from `systemRandom`. */
export interface Random {
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** A repeatable stream for tests and simulations: SHA-256 in counter mode over the seed. Never for secrets. */
export function seededRandom(seed: string | number): Random {
  let counter = 0;
  let pool = Buffer.alloc(0);
  return {
    bytes(length) {
      while (pool.length < length) {
        pool = Buffer.concat([pool, createHash("sha256").update(`${seed}/${counter++}`).digest()]);
      }
      const taken = new Uint8Array(pool.subarray(0, length));
      pool = pool.subarray(length);
      return taken;
    },
  };
}

/** A number in [0, 1), 32 bits fine. */
export function randomFraction(random: Random): number {
  const bytes = random.bytes(4);
  return (bytes[0]! * 2 ** 24 + bytes[1]! * 2 ** 16 + bytes[2]! * 2 ** 8 + bytes[3]!) / 2 ** 32;
}

/** A whole number in [0, below). */
export function randomBelow(random: Random, below: number): number {
  return Math.floor(randomFraction(random) * below);
}
