import { randomBelow, randomFraction, seededRandom } from "@garrison/core/random";
import type { PackKind } from "../format/object-names.ts";
import type { PackUse } from "../format/pack-table.ts";
import type { PackUnion } from "./pack-union.ts";
import type { VerifiedPacks } from "./verified-packs.ts";

const packKinds: readonly PackKind[] = ["pack", "map"];

export function* allPacks(union: PackUnion): Generator<PackUse> {
  for (const kind of packKinds) yield* union.uses(kind);
}

/** Draws each pack with the probability `share`, and at least one; the same seed draws the same ones. */
export function* drawPacks(
  union: PackUnion,
  draw: { readonly share: number; readonly seed: string },
): Generator<PackUse> {
  const random = seededRandom(draw.seed);
  let [drawn, count] = [0, 0];
  for (const use of allPacks(union)) {
    count++;
    if (randomFraction(random) >= draw.share) continue;
    drawn++;
    yield use;
  }
  if (drawn > 0 || count === 0) return;
  let left = randomBelow(random, count);
  for (const use of allPacks(union)) if (left-- === 0) return yield use;
}

/** Bytes of packs by the time they were last read (0: never), to find out how far a budget reaches. */
export class AgeCensus {
  readonly #bytes = new Map<number, number>();

  count(union: PackUnion, verified: VerifiedPacks): void {
    for (const use of allPacks(union)) {
      const at = verified.find(use);
      this.#bytes.set(at, (this.#bytes.get(at) ?? 0) + use.sizeBytes);
    }
  }

  /**
   * The newest time that `bytes` reach: all packs read before it fit, of those read at it a part does. Packs read at or
   * after `before` are left out; nothing when none is due.
   */
  reach(limits: { readonly bytes: number; readonly before: number }): number | undefined {
    let left = limits.bytes;
    let reached: number | undefined;
    for (const at of [...this.#bytes.keys()].sort((a, b) => a - b)) {
      if (at >= limits.before || left <= 0) return reached;
      reached = at;
      left -= this.#bytes.get(at)!;
    }
    return reached;
  }

  /** Bytes that were read before `before`, or never. */
  overdue(before: number): number {
    let total = 0;
    for (const [at, bytes] of this.#bytes) if (at < before) total += bytes;
    return total;
  }
}

/**
 * Packs of one round that were last read at `reach` or before, the longest ago first and then by name. The same packs
 * come in the same order as long as nothing is noted.
 */
export function* oldestPacks(
  union: PackUnion,
  age: { readonly verified: VerifiedPacks; readonly reach: number },
): Generator<PackUse> {
  const times = new Set<number>();
  for (const use of allPacks(union)) {
    const at = age.verified.find(use);
    if (at <= age.reach) times.add(at);
  }
  for (const at of [...times].sort((a, b) => a - b)) {
    for (const use of allPacks(union)) if (age.verified.find(use) === at) yield use;
  }
}
