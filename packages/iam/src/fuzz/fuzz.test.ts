import { getHeapStatistics } from "node:v8";
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fuzzDecoder } from "@garrison/core/fuzz/fuzz-decoder";
import { listIamDecoders } from "./iam-decoders.ts";

const meters = {
  now: () => performance.now(),
  usedBytes: () => {
    const { external_memory: buffers, used_heap_size: heap } = getHeapStatistics();
    return buffers + heap;
  },
};
const decoders = await listIamDecoders({ signal: new AbortController().signal });

// Nobody reads where all these errors were thrown.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

describe("nonsense gets a decision or a named error, quickly and with little memory", () => {
  test.each(decoders.map((decoder) => [decoder.name, decoder] as const))("from %s", (name, decoder) => {
    const inputs = name === "iam.lint" ? 2_000 : 9_000;
    const report = fuzzDecoder(meters, decoder, { inputs, seed: "every build" });
    expect(report.failures).toEqual([]);
    // Enough of it has to get past the grammar, or nothing behind it is tried.
    expect(report.accepted).toBeGreaterThan(inputs / 10);
  });
});
