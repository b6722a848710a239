import { expect, test } from "vitest";
import { appendPattern, matchesCodes } from "./wildcard-pattern.ts";

function matches(pattern: string, text: string): boolean {
  const codes: number[] = [];
  appendPattern(codes, pattern);
  return matchesCodes(codes, text);
}

test("stars and question marks match as in AWS", () => {
  expect(
    ["*", "a*", "*c", "a*c", "a?c", "???", "a**c", "*b*"].map((pattern) => matches(pattern, "abc")),
  ).not.toContain(false);
  expect(
    ["", "?", "a", "b*", "*b", "a?", "????", "abc?", "ABC"].map((pattern) => matches(pattern, "abc")),
  ).not.toContain(true);
});

test("a pattern made to hurt stays polynomial", () => {
  expect(matches(`${"*a".repeat(200)}*b`, "a".repeat(2_000))).toBe(false);
});
