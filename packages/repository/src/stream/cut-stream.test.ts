import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { seededRandom } from "@garrison/core/random";
import { MiB } from "@garrison/core/units";
import { inReads, smallCutSizes, streamBytes, withInsertion } from "../simulation/stream-fixture.ts";
import { cutStream } from "./cut-stream.ts";
import { defaultCutSizes, type CutSizes } from "./cut-sizes.ts";
import { deriveCutTable } from "./cut-table.ts";

const table = deriveCutTable(new Uint8Array(32).fill(7));
const call = { signal: new AbortController().signal };
const meanBytes = 4096;

async function cut(
  input: AsyncIterable<Uint8Array>,
  options: { readonly table?: Int32Array; readonly sizes?: CutSizes } = {},
): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of cutStream(input, { table, sizes: smallCutSizes, ...options }, call))
    chunks.push(Buffer.from(chunk));
  return chunks;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Ends of the chunks by the words of docs/repository-format.md, byte by byte. */
function endsByTheBook(bytes: Uint8Array, sizes: CutSizes): number[] {
  const ends: number[] = [];
  let [start, hash] = [0, 0n];
  for (const [at, byte] of bytes.entries()) {
    const length = at - start + 1;
    if (length > sizes.minBytes - 32) hash = (hash * 2n + BigInt(table[byte]!)) & 0xffff_ffffn;
    const bits = BigInt(length < sizes.normalBytes ? sizes.strictBits : sizes.looseBits);
    const isEnd = length >= sizes.minBytes && hash >> (32n - bits) === 0n;
    if (!isEnd && length < sizes.maxBytes) continue;
    ends.push(at + 1);
    [start, hash] = [at + 1, 0n];
  }
  if (start < bytes.length) ends.push(bytes.length);
  return ends;
}

function endsOf(chunks: readonly Uint8Array[]): number[] {
  let end = 0;
  return chunks.map((chunk) => (end += chunk.length));
}

describe("the chunks of a stream", () => {
  test("are the stream again, one after the other, and the same however it was read", async () => {
    const content = fc.tuple(fc.integer(), fc.nat(120_000), fc.integer({ min: 1, max: 50_000 }));
    await fc.assert(
      fc.asyncProperty(content, async ([seed, length, largestRead]) => {
        const random = seededRandom(seed);
        const bytes = streamBytes(random, length);
        const chunks = await cut(inReads(bytes, random, largestRead));
        expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
        expect(endsOf(chunks)).toEqual(endsOf(await cut(once(bytes))));
      }),
      { numRuns: 60 },
    );
  });

  test("end where the format says, also in content that repeats", async () => {
    const random = seededRandom("by the book");
    const rows = Buffer.from("INSERT INTO t VALUES (1, 'x');\n".repeat(3000));
    const mixed = Buffer.concat([streamBytes(random, 60_000), Buffer.alloc(60_000), rows]);
    for (const bytes of [streamBytes(random, 150_000), Buffer.alloc(50_000, 1), mixed]) {
      expect(endsOf(await cut(inReads(bytes, random)))).toEqual(endsByTheBook(bytes, smallCutSizes));
    }
  });

  test("have their sizes, and only the last one is smaller than the least", async () => {
    const random = seededRandom("sizes");
    for (const bytes of [streamBytes(random, 300_000), Buffer.alloc(300_000, 3)]) {
      const sizes = (await cut(once(bytes))).map((chunk) => chunk.length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(smallCutSizes.maxBytes);
      expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(smallCutSizes.minBytes);
    }
  });

  test("are soon the same again behind an insertion, and the same before it", async () => {
    const change = fc.tuple(fc.integer(), fc.nat(100_000), fc.integer({ min: 1, max: 20_000 }));
    await fc.assert(
      fc.asyncProperty(change, async ([seed, at, length]) => {
        const random = seededRandom(seed);
        const bytes = streamBytes(random, 600_000);
        const inserted = streamBytes(random, length);
        const before = endsOf(await cut(once(bytes)));
        const after = endsOf(await cut(once(withInsertion(bytes, at, inserted))));
        expect(after.filter((end) => end <= at)).toEqual(before.filter((end) => end <= at));
        const moved = new Set(after.map((end) => end - length));
        const first = before.find((end) => end > at && moved.has(end))!;
        // Two in three chunks bring the two together: 40 in a row that don't are out of the question.
        expect(first - at).toBeLessThan(40 * meanBytes);
        const rest = before.filter((end) => end >= first);
        expect(after.map((end) => end - length).slice(-rest.length)).toEqual(rest);
      }),
      { numRuns: 30 },
    );
  });

  test("end elsewhere in another domain", async () => {
    const bytes = streamBytes(seededRandom("domains"), 400_000);
    const ours = new Set(endsOf(await cut(once(bytes))));
    const other = deriveCutTable(new Uint8Array(32).fill(8));
    const shared = endsOf(await cut(once(bytes), { table: other })).filter((end) => ours.has(end));
    expect(shared).toEqual([400_000]);
  });

  test("have 1 MiB on average by default, and gather around it", async () => {
    const random = seededRandom("distribution");
    const sizes: number[] = [];
    for (let round = 0; round < 2; round++) {
      const chunks = await cut(once(streamBytes(random, 64 * MiB)), { sizes: defaultCutSizes });
      sizes.push(...chunks.slice(0, -1).map((chunk) => chunk.length));
    }
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length / MiB;
    const near = sizes.filter((size) => size >= MiB / 2 && size <= 2 * MiB).length / sizes.length;
    expect(mean).toBeGreaterThan(0.9);
    expect(mean).toBeLessThan(1.1);
    expect(near).toBeGreaterThan(0.85);
    expect(sizes.filter((size) => size === defaultCutSizes.maxBytes)).toEqual([]);
  });

  test("are none when there is nothing, whatever it comes in", async () => {
    expect(await cut(inReads(Buffer.alloc(0), seededRandom(1)))).toEqual([]);
    expect(await cut(once(Buffer.alloc(0)))).toEqual([]);
  });
});

describe("a stream that breaks off", () => {
  async function* breaking(error: Error): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(10);
    throw error;
  }

  test("keeps the name of its failure, and gets one when it has none", async () => {
    const named = new GarrisonError("producer-failed", "it ended with status 1");
    await expect(cut(breaking(named))).rejects.toBe(named);
    await expect(cut(breaking(new Error("EIO")))).rejects.toMatchObject({ code: "source-unreadable" });
  });

  test("because the call was stopped says so", async () => {
    const stopped = { signal: AbortSignal.abort(new GarrisonError("aborted", "stopped by SIGINT")) };
    const chunks = cutStream(
      breaking(new Error("premature close")),
      { table, sizes: smallCutSizes },
      stopped,
    );
    await expect(chunks.next()).rejects.toMatchObject({ message: "stopped by SIGINT" });
  });
});
