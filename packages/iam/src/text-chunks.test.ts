import * as fc from "fast-check";
import { expect, test } from "vitest";
import { matchesChunks, splitAtStars, type TextChunks } from "./text-chunks.ts";
import { appendPattern, matchesCodes } from "./wildcard-pattern.ts";

function codesOf(pattern: string): number[] {
  const codes: number[] = [];
  appendPattern(codes, pattern);
  return codes;
}

test("it answers as the matcher for all patterns does", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", ":"), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", ":", "*"), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      const codes = codesOf(pattern);
      expect(matchesChunks(splitAtStars(codes) as TextChunks, text)).toBe(matchesCodes(codes, text));
    }),
    { numRuns: 3_000 },
  );
});

test("the last text may not overlap what was matched before it", () => {
  expect(matchesChunks(splitAtStars(codesOf("ab*ba")) as TextChunks, "aba")).toBe(false);
  expect(matchesChunks(splitAtStars(codesOf("a*b*b")) as TextChunks, "ab")).toBe(false);
});

test("other wildcards are left to the other matcher", () => {
  expect(splitAtStars(codesOf("a?c"))).toBeUndefined();
});
