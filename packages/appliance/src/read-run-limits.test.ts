import { expect, test } from "vitest";
import { readRunLimits } from "./read-run-limits.ts";

test("limits that are named differ from the defaults", () => {
  expect(readRunLimits('{"maxWorkers": 1, "bootstrapMs": 20000}')).toEqual({
    maxWorkers: 1,
    bootstrapMs: 20_000,
  });
});

test.each(["{", "[]", "3", '{"maxWorker": 1}', '{"maxWorkers": 0}', '{"maxWorkers": "2"}'])(
  "%s is refused by name",
  (text) => {
    expect(() => readRunLimits(text)).toThrow(
      expect.objectContaining({
        code: "configuration-invalid",
        message: expect.stringContaining("GARRISON_RUN_LIMITS"),
      }),
    );
  },
);
