import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const shared = { environment: "node", pool: "forks", testTimeout: 120_000, hookTimeout: 240_000 } as const;

/** Three speeds: `unit` beside the source, `integration` starts the lab in-process, `e2e` starts real programs. */
export default defineConfig({
  test: {
    // Most of a test's time is waiting for programs and locks: one file for each core, the default less one, idles.
    maxWorkers: availableParallelism() + 1,
    reporters: ["default", "./tools/plain-reporter.ts"],
    projects: [
      {
        test: {
          ...shared,
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "tools/**/*.test.ts"],
          // Nothing of theirs outlives a test, and importing the packages anew for each file would take a third of the time.
          isolate: false,
        },
      },
      {
        test: {
          ...shared,
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 600_000,
        },
      },
      {
        test: {
          ...shared,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
