import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { randomBelow } from "@garrison/core/random";
import { MiB } from "@garrison/core/units";
import { defaultLimits } from "../backup/engine-limits.ts";
import { checkRepository } from "../check/check-repository.ts";
import { isHookId } from "../format/hooks.ts";
import { chunkId } from "../format/item-identity.ts";
import { listPoints } from "../point/list-points.ts";
import {
  backUp,
  call,
  drawSession,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  restore,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import {
  backUpStream,
  inReads,
  restoreStreamBytes,
  smallCutSizes,
  streamBytes,
  withInsertion,
} from "../simulation/stream-fixture.ts";
import { cutStream } from "./cut-stream.ts";
import { defaultCutSizes } from "./cut-sizes.ts";
import { deriveCutTable } from "./cut-table.ts";

async function findings(fixture: Fixture) {
  const found = [];
  const plan = { level: "full", domain: fixtureDomain, threads: 0 } as const;
  for await (const finding of checkRepository(fixture, plan, call)) found.push(finding);
  return found;
}

async function volumeOf(fixture: Fixture, point: string) {
  const points = await listPoints(fixture, {}, call);
  return points.find((each) => each.sessionId === point)!.volumes[0]!;
}

function mapPacksOf(fixture: Fixture, session: string): number {
  return [...fixture.objects.keys()].filter((key) => key.includes(`/map/${session}/`)).length;
}

/** How many chunks lie in front of the first hook in these bytes: a walk that jumps to them misses those. */
async function chunksBeforeHook(fixture: Fixture, bytes: Uint8Array): Promise<number> {
  const options = { table: deriveCutTable(fixture.keys.idKey), sizes: smallCutSizes };
  let before = 0;
  for await (const chunk of cutStream(inReads(bytes, fixture.random), options, call)) {
    if (isHookId(chunkId(fixture.keys.idKey, createHash("sha256").update(chunk).digest()))) break;
    before++;
  }
  return before;
}

/** Where the second chunk of these bytes ends. */
async function secondEnd(fixture: Fixture, bytes: Uint8Array): Promise<number> {
  const options = { table: deriveCutTable(fixture.keys.idKey), sizes: smallCutSizes };
  const lengths: number[] = [];
  for await (const chunk of cutStream(inReads(bytes, fixture.random), options, call))
    lengths.push(chunk.length);
  return lengths[0]! + lengths[1]!;
}

describe("a stream", () => {
  const fixture = openFixture("round trips");
  const long = streamBytes(fixture.random, 3_000_000);
  test.each([
    ["of nothing", async () => Buffer.alloc(0)],
    ["of one byte", async () => Buffer.from("x")],
    ["of the least length of a chunk", async () => long.subarray(0, 1024)],
    ["that ends where a chunk ends", async () => long.subarray(0, await secondEnd(fixture, long))],
    [
      "that ends behind the end of a chunk",
      async () => long.subarray(0, (await secondEnd(fixture, long)) + 1),
    ],
    ["of several leaves, packs and marks", async () => long],
    ["of zeros", async () => Buffer.alloc(1_000_000)],
  ])("%s comes back byte for byte, and is checked as intact", async (_, make) => {
    const bytes = await make();
    const { point, volumes } = await backUpStream(fixture, { input: bytes });
    const { bytes: restored, summary } = await restoreStreamBytes(fixture, point);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect(restored.equals(bytes)).toBe(true);
    expect(summary).toEqual({ bytesWritten: bytes.length, sizeBytes: bytes.length, sha256 });
    expect(volumes[0]).toMatchObject({ coverage: "full", bytesRead: bytes.length });
    expect(await volumeOf(fixture, point)).toMatchObject({
      kind: "stream",
      sizeBytes: bytes.length,
      sha256,
      blocksHeld: volumes[0]!.blocksListed,
    });
    expect(await findings(fixture)).toEqual([]);
  });

  test("of 104 MiB, cut and packed as by default, comes back, and a part of it too", async () => {
    const large = openFixture("large");
    const bytes = streamBytes(large.random, 104 * MiB);
    const sizes = { limits: defaultLimits, cutSizes: defaultCutSizes };
    const { point } = await backUpStream(large, { input: bytes, ...sizes });
    expect((await restoreStreamBytes(large, point)).bytes.equals(bytes)).toBe(true);
    const part = await restoreStreamBytes(large, point, { offset: 50 * MiB + 1, length: 9 * MiB });
    expect(part.bytes.equals(bytes.subarray(50 * MiB + 1, 59 * MiB + 1))).toBe(true);
    const { volumes } = await backUpStream(large, { input: bytes, parent: point, ...sizes });
    expect(volumes[0]!.blocksStored).toBe(0);
  }, 600_000);

  test("holds what repeats in it once", async () => {
    const repeating = openFixture("repeating");
    const part = streamBytes(repeating.random, 200_000);
    const limits = { ...smallLimits, recentChunks: 1000 };
    const { point, volumes } = await backUpStream(repeating, {
      input: Buffer.concat([part, part, part]),
      limits,
    });
    const [volume] = volumes;
    expect(volume!.blocksStored * 3).toBeLessThan(volume!.blocksListed + 10);
    expect((await restoreStreamBytes(repeating, point)).bytes).toHaveLength(600_000);
  });

  test("is read no further than a few chunks ahead of a store that doesn't answer", async () => {
    const slow = openFixture("back-pressure");
    let taken = 0;
    async function* endless() {
      for (; taken < 50_000_000; taken += 4096) yield streamBytes(slow.random, 4096);
    }
    const stuck = new AbortController();
    const store = {
      ...slow.store,
      create: (...made: Parameters<typeof slow.store.create>) =>
        made[0].includes("/pack/") ? untilAborted(stuck.signal) : slow.store.create(...made),
    };
    const backup = backUpStream(slow, { input: endless(), store });
    backup.catch(() => undefined);
    for (let before = -1; before !== taken;) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // Two packs on their way, one that is full, and what is being compressed and cut.
    expect(taken).toBeLessThan(3 * smallLimits.packBytes + 10 * smallCutSizes.maxBytes);
    stuck.abort();
    await expect(backup).rejects.toMatchObject({ code: "store-unavailable" });
  });
});

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new GarrisonError("store-unavailable", "it hung")));
  });
}

describe("a second dump", () => {
  const fixture = openFixture("second");
  const bytes = streamBytes(fixture.random, 8_000_000);
  const first = backUpStream(fixture, { input: bytes });

  async function second(input: Buffer) {
    const { point: parent } = await first;
    const { point, volumes } = await backUpStream(fixture, { input, parent });
    expect((await restoreStreamBytes(fixture, point)).bytes.equals(input)).toBe(true);
    return { point, stored: volumes[0]!.blocksStored };
  }

  test("that is equal stores nothing: no chunk, and no page but the table and hooks", async () => {
    const { point, stored } = await second(bytes);
    expect(stored).toBe(0);
    expect(mapPacksOf(fixture, point)).toBe(1);
  });

  test.each([
    ["a byte inserted at its start", 0, 1],
    ["some rows inserted in its middle", 4_000_000, 3000],
    ["a row appended", 8_000_000, 100],
  ])("with %s stores a few chunks, and a few leaves", async (_, at, length) => {
    const { stored } = await second(withInsertion(bytes, at, streamBytes(fixture.random, length)));
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(12);
  });

  test("with a large insertion stores that and no more", async () => {
    const inserted = streamBytes(fixture.random, 3_000_000);
    const { stored } = await second(withInsertion(bytes, 1_000_000, inserted));
    expect(stored).toBeLessThan(3_000_000 / 4096 + 120);
  });

  test("with a deletion goes on behind it, however large it was: at the next hook", async () => {
    const cut = Buffer.concat([bytes.subarray(0, 1_000_000), bytes.subarray(7_000_000)]);
    const { stored } = await second(cut);
    expect(stored).toBeLessThan((await chunksBeforeHook(fixture, bytes.subarray(7_000_000))) + 12);
  });

  test("in another order finds each part again from its first hook on", async () => {
    const third = 2_600_000;
    const parts = [bytes.subarray(2 * third), bytes.subarray(0, third), bytes.subarray(third, 2 * third)];
    const { stored } = await second(Buffer.concat(parts));
    let missed = 0;
    for (const part of parts) missed += (await chunksBeforeHook(fixture, part)) + 12;
    expect(stored).toBeLessThan(missed);
    expect(missed).toBeLessThan(1000);
  });

  test("shares leaves that lie elsewhere now", async () => {
    const { point: parent } = await first;
    const input = withInsertion(bytes, 10, streamBytes(fixture.random, 2_000_000));
    const own = openFixture("second");
    expect(own.keys).toEqual(fixture.keys);
    const { point, volumes } = await backUpStream(fixture, { input, parent });
    const chunks = volumes[0]!.blocksListed;
    const pages = await leavesWritten(fixture, point);
    // The insertion is 490 chunks, or two leaves, and some more until leaves end at the same chunks again.
    expect(chunks / 327).toBeGreaterThan(7);
    expect(pages).toBeLessThan(6);
  });

  test("is not compared with an image of the same name", async () => {
    const disk = new MemoryDisk(4);
    disk.write(1, fixture.random);
    const { point: parent } = await backUp(fixture, {
      source: disk.source(),
      series: "dump",
      volumeId: "stream",
    });
    const input = bytes.subarray(0, 50_000);
    const { point } = await backUpStream(fixture, { input, parent });
    expect((await restoreStreamBytes(fixture, point)).bytes.equals(input)).toBe(true);
  });
});

/** Leaves that a session wrote itself, by the footers of its map packs. */
async function leavesWritten(fixture: Fixture, session: string): Promise<number> {
  const { readFooter } = await import("../backup/load-resume.ts");
  const { parsePackName } = await import("../format/object-names.ts");
  let count = 0;
  for (const [key, { bytes }] of fixture.objects) {
    const address = parsePackName(key);
    if (address?.kind !== "map" || address.session !== session) continue;
    const entries = await readFooter(fixture, { address, sizeBytes: bytes.length }, call);
    count += entries.filter((entry) => entry.kind === 2).length;
  }
  return count;
}

describe("a part of a stream", () => {
  const fixture = openFixture("parts");
  const bytes = streamBytes(fixture.random, 2_500_000);
  const made = backUpStream(fixture, { input: bytes });

  test("is what lies there, wherever it begins and ends", async () => {
    const { point } = await made;
    for (let round = 0; round < 40; round++) {
      const offset = randomBelow(fixture.random, bytes.length);
      const length = randomBelow(fixture.random, Math.min(bytes.length - offset + 1, 100_000));
      const part = await restoreStreamBytes(fixture, point, { offset, length });
      expect(part.bytes.equals(bytes.subarray(offset, offset + length))).toBe(true);
    }
    expect((await restoreStreamBytes(fixture, point, { offset: 2_499_999 })).bytes).toHaveLength(1);
    expect((await restoreStreamBytes(fixture, point, { offset: 2_500_000 })).bytes).toHaveLength(0);
  });

  test("reads no more of the repository than it needs", async () => {
    const { point } = await made;
    let bytesRead = 0;
    const store = {
      ...fixture.store,
      read: async (...read: Parameters<typeof fixture.store.read>) => {
        const found = await fixture.store.read(...read);
        if (read[0].includes("/pack/")) bytesRead += found.length;
        return found;
      },
    };
    await restoreStreamBytes(fixture, point, { offset: 1_200_000, length: 10, store });
    expect(bytesRead).toBeLessThan(3 * smallCutSizes.maxBytes);
  });

  test.each([
    [2_500_001, undefined],
    [0, 2_500_001],
    [-1, 5],
    [0.5, 1],
  ])("from %s, %s bytes long, is refused: it is not in it", async (offset, length) => {
    const { point } = await made;
    const part = length === undefined ? { offset } : { offset, length };
    await expect(restoreStreamBytes(fixture, point, part)).rejects.toMatchObject({ code: "usage" });
  });
});

describe("a producer that fails", () => {
  test("leaves no restore point, and its session is given up", async () => {
    const fixture = openFixture("producer");
    const failure = new GarrisonError("producer-failed", "pg_dump ended with status 1");
    async function* failing() {
      yield streamBytes(fixture.random, 900_000);
      throw failure;
    }
    const sessionId = await drawSession(fixture);
    await expect(backUpStream(fixture, { input: failing(), sessionId })).rejects.toBe(failure);
    expect(await listPoints(fixture, {}, call)).toEqual([]);
    await expect(backUpStream(fixture, { input: Buffer.alloc(5), sessionId })).rejects.toMatchObject({
      code: "session-fenced",
    });
  });
});

describe("a parent that is damaged", () => {
  test.each([
    ["its leaves", (key: string, last: string) => key !== last],
    ["its table and hooks", (key: string, last: string) => key === last],
    ["all of its map", () => true],
  ])("and has lost %s costs only what is stored again", async (_, isLost) => {
    const fixture = openFixture("damaged parent");
    const bytes = streamBytes(fixture.random, 2_000_000);
    const { point: parent } = await backUpStream(fixture, { input: bytes });
    const maps = [...fixture.objects.keys()].filter((key) => key.includes("/map/")).sort();
    const lost = maps.filter((key) => isLost(key, maps.at(-1)!));
    expect(lost).not.toEqual([]);
    for (const key of lost) fixture.objects.delete(key);
    const { point } = await backUpStream(fixture, { input: bytes, parent });
    expect((await restoreStreamBytes(fixture, point)).bytes.equals(bytes)).toBe(true);
  });
});

describe("kinds", () => {
  test("are kept apart: a stream is not restored as an image, nor an image as a stream", async () => {
    const fixture = openFixture("kinds");
    const { point: stream } = await backUpStream(fixture, { input: Buffer.from("dump") });
    const disk = new MemoryDisk(2);
    disk.write(0, fixture.random);
    const { point: image } = await backUp(fixture, { source: disk.source() });
    await expect(restore(fixture, stream, { series: "dump", volumeId: "stream" })).rejects.toMatchObject({
      code: "point-kind-wrong",
    });
    await expect(restoreStreamBytes(fixture, image, { series: "disk" })).rejects.toMatchObject({
      code: "point-kind-wrong",
    });
  });
});
