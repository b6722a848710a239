import { describe, expect, test } from "vitest";
import { GiB, minuteMs } from "@garrison/core/units";
import { parseBudget } from "./parse-budget.ts";
import { parseShare } from "./parse-share.ts";

describe("a budget", () => {
  test("is a size, a time, or both", () => {
    expect(parseBudget("10GiB", "--budget")).toEqual({ bytes: 10 * GiB });
    expect(parseBudget("30m", "--budget")).toEqual({ durationMs: 30 * minuteMs });
    expect(parseBudget("1.5GiB,2h", "--budget")).toEqual({ bytes: 1.5 * GiB, durationMs: 120 * minuteMs });
  });
  test.each(["", "10", "10GB", "GiB", "10GiB,", "-1m"])("is not %j", (text) => {
    expect(() => parseBudget(text, "--budget")).toThrow(/--budget is a size/);
  });
});

describe("a share", () => {
  test("is a percentage or a fraction", () => {
    expect(parseShare("1%", "--sample")).toBe(0.01);
    expect(parseShare("0.25", "--sample")).toBe(0.25);
    expect(parseShare("100%", "--sample")).toBe(1);
  });
  test.each(["0", "0%", "101%", "2", "one", ""])("is not %j", (text) => {
    expect(() => parseShare(text, "--sample")).toThrow(/--sample is a share/);
  });
});
