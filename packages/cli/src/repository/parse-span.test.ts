import { expect, test } from "vitest";
import { parseSpan } from "./parse-span.ts";

test("times are written with their units", () => {
  const spans = ["0", "90s", "90m", "24h", "7d", "2w", "1d12h"].map((text) => parseSpan(text, "--grace"));
  expect(spans).toEqual([0, 90_000, 5_400_000, 86_400_000, 604_800_000, 1_209_600_000, 129_600_000]);
});

test("what is no time is named with its option", () => {
  for (const text of ["", "7", "d", "7 d", "-1d", "1.5d", "7dd", "x7d"]) {
    expect(() => parseSpan(text, "--grace")).toThrow(/--grace is a time/);
  }
});
