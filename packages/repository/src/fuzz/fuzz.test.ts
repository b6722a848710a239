import { getHeapStatistics } from "node:v8";
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { fuzzDecoder, type FuzzedDecoder } from "@garrison/core/fuzz/fuzz-decoder";
import { listFuzzedDecoders } from "./fuzzed-decoders.ts";

const meters = {
  now: () => performance.now(),
  usedBytes: () => {
    const { external_memory: buffers, used_heap_size: heap } = getHeapStatistics();
    return buffers + heap;
  },
};
const plan = { inputs: 20_000, seed: "every build" };
const decoders = await listFuzzedDecoders("fuzz");

// Nobody reads where all these errors were thrown.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

describe("bytes that are not ours get a named error, quickly and with little memory", () => {
  test.each(decoders.map((decoder) => [decoder.name, decoder] as const))(
    "by the decoder: %s",
    (_name, decoder) => {
      const report = fuzzDecoder(meters, decoder, plan);
      expect(report.failures).toEqual([]);
      expect(report.accepted).toBeGreaterThanOrEqual(decoder.samples.length);
    },
  );
});

describe("the fuzzer finds a decoder that", () => {
  const find = (decode: FuzzedDecoder["decode"]) =>
    fuzzDecoder(
      meters,
      { name: "planted", samples: [Buffer.from([0, 0, 0, 9])], decode },
      { ...plan, inputs: 3000 },
    ).failures;

  test("crashes", () => {
    const failures = find((bytes) => Buffer.from(bytes).readUInt32BE(0));
    expect(failures[0]?.reason).toContain("ERR_BUFFER_OUT_OF_BOUNDS");
  });
  test("believes a length", () => {
    const failures = find((bytes) =>
      bytes.length < 4 ? undefined : new Uint8Array(Buffer.from(bytes).readUInt32BE(0) % 2 ** 28),
    );
    expect(failures[0]?.reason).toContain("KiB of memory");
  });
  test("gives damage a name that says something else", () => {
    const failures = find((bytes) => {
      if (bytes.length > 4) throw new GarrisonError("usage", "too long");
    });
    expect(failures[0]?.reason).toBe("usage");
  });
  test("refuses what is valid", () => {
    const failures = find(() => {
      throw new GarrisonError("object-damaged", "never");
    });
    expect(failures[0]).toMatchObject({ input: 0, reason: "a valid input: object-damaged" });
  });
});
