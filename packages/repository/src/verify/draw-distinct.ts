import { randomBelow, type Random } from "@garrison/core/random";

/** `count` different whole numbers below `below`, all sets of them equally likely, ascending; all when there are no more. */
export function drawDistinct(
  random: Random,
  draw: { readonly count: number; readonly below: number },
): number[] {
  const { count, below } = draw;
  if (count >= below) return Array.from({ length: below }, (_, number) => number);
  const drawn = new Set<number>();
  for (let top = below - count; top < below; top++) {
    const number = randomBelow(random, top + 1);
    drawn.add(drawn.has(number) ? top : number);
  }
  return [...drawn].sort((left, right) => left - right);
}
