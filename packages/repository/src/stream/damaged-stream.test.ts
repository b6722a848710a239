import { silentLogger } from "@garrison/core/logger";
import { describe, expect, test } from "vitest";
import { pointName, seriesHash } from "../format/object-names.ts";
import { decodeRecord, encodeRecord } from "../format/point-record.ts";
import { decodeObject, encodeObject } from "../format/sealed-object.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import { readRecord } from "../point/read-point.ts";
import { executeRepair } from "../repair/execute-repair.ts";
import { planRepair } from "../repair/plan-repair.ts";
import { flipByte, keysOf, runCheck } from "../simulation/damage.ts";
import { call, fixtureDomain, openFixture } from "../simulation/engine-fixture.ts";
import {
  backUpStream,
  restoreStreamBytes,
  streamBytes,
  withInsertion,
} from "../simulation/stream-fixture.ts";

async function openScene(seed: string) {
  const fixture = openFixture(seed);
  const bytes = streamBytes(fixture.random, 3_000_000);
  const { point } = await backUpStream(fixture, { input: bytes });
  return { fixture, bytes, point };
}

test.each([
  ["a sample", { level: "sample", share: 1 }],
  ["a budget", { budget: {}, remembers: true }],
] as const)("a stream is whole for a check that reads packs by %s", async (_, plan) => {
  const { fixture } = await openScene("whole packs");
  const { findings, summary } = await runCheck(fixture, plan);
  expect(findings).toEqual([]);
  expect(summary.packsRead).toBe(summary.packs);
});

describe("a damaged stream", () => {
  test("is told by the bytes of it that are hit, and never restored there; around them it is", async () => {
    const { fixture, bytes, point } = await openScene("flipped");
    flipByte(fixture.objects, keysOf(fixture, "pack")[2]!, 100_000);
    const { findings } = await runCheck(fixture);
    const [finding, ...more] = findings;
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ code: "chunk-damaged", point, volumeId: "stream" });
    const { offset, length } = finding!.range!;
    expect(length).toBeGreaterThan(0);
    await expect(restoreStreamBytes(fixture, point)).rejects.toMatchObject({
      code: "chunk-damaged",
      details: { volumeId: "stream", offset, length },
    });
    const before = await restoreStreamBytes(fixture, point, { length: offset });
    expect(before.bytes.equals(bytes.subarray(0, offset))).toBe(true);
    const behind = await restoreStreamBytes(fixture, point, { offset: offset + length });
    expect(behind.bytes.equals(bytes.subarray(offset + length))).toBe(true);
    await expect(restoreStreamBytes(fixture, point, { offset: offset + length - 1 })).rejects.toMatchObject({
      code: "chunk-damaged",
    });
  });

  test("without a pack names all bytes that lay in it, which follow each other", async () => {
    const { fixture, bytes, point } = await openScene("lost pack");
    const [, lost] = keysOf(fixture, "pack");
    fixture.objects.delete(lost!);
    const { findings, summary } = await runCheck(fixture);
    expect(findings).toMatchObject([{ code: "object-missing", key: lost, point, hitCount: 1 }]);
    const ranges = findings[0]!.hits![0]!.ranges;
    expect(ranges).toHaveLength(1);
    const whole = { offset: ranges[0]!.offset, end: ranges[0]!.offset + ranges[0]!.length };
    expect(whole.end - whole.offset).toBeGreaterThan(400_000);
    expect(summary.losses).toMatchObject([{ point, blocks: Math.ceil(ranges[0]!.length / 524_288) }]);
    const { bytes: before } = await restoreStreamBytes(fixture, point, { length: whole.offset });
    const { bytes: behind } = await restoreStreamBytes(fixture, point, { offset: whole.end });
    expect(Buffer.concat([before, bytes.subarray(whole.offset, whole.end), behind]).equals(bytes)).toBe(true);
  });

  test("whose leaf is damaged names the bytes of the leaf", async () => {
    const { fixture, point } = await openScene("leaf");
    const record = await readRecord(fixture, { series: "dump", sessionId: point }, call);
    const owner = { series: seriesHash(fixture.keys, "dump"), volume: record.volumes[0]! };
    const page = (await openVolumeReader(fixture, owner, call).interior(0))!;
    const name = keysOf(fixture, "map").find((key) =>
      key.endsWith(`${page[1]!.lane}-${page[1]!.pack.toString(16).padStart(8, "0")}`),
    )!;
    flipByte(fixture.objects, name, page[1]!.offset + 50);
    const range = { offset: page[0]!.plainBytes, length: page[1]!.plainBytes };
    expect((await runCheck(fixture)).findings).toMatchObject([{ code: "page-damaged", key: name, range }]);
    await expect(restoreStreamBytes(fixture, point)).rejects.toMatchObject({ code: "page-damaged" });
  });

  test("whose record names another digest is another stream, when it is restored in whole", async () => {
    const { fixture, bytes, point } = await openScene("digest");
    const name = pointName(fixtureDomain, seriesHash(fixture.keys, "dump"), point);
    const object = fixture.objects.get(name)!;
    const record = decodeRecord(decodeObject(fixture.keys, name, object.bytes).body, name);
    const volumes = record.volumes.map((volume) => ({ ...volume, sha256: "00".repeat(32) }));
    const body = encodeRecord({ ...record, volumes });
    fixture.objects.set(name, {
      ...object,
      bytes: encodeObject(fixture.keys, fixture.random, { name, kind: "record", body }),
    });
    await expect(restoreStreamBytes(fixture, point)).rejects.toMatchObject({ code: "stream-mismatch" });
    const { bytes: part } = await restoreStreamBytes(fixture, point, { offset: 1 });
    expect(part.equals(bytes.subarray(1))).toBe(true);
  });

  test("is made whole by the next dump, and older points with it", async () => {
    const { fixture, bytes, point: older } = await openScene("healed");
    fixture.objects.delete(keysOf(fixture, "pack")[1]!);
    await runCheck(fixture, { remembers: true });
    const { point, volumes } = await backUpStream(fixture, { input: bytes, parent: older });
    expect(volumes[0]!.blocksStored).toBeGreaterThan(50);
    expect(volumes[0]!.blocksStored).toBeLessThan(volumes[0]!.blocksListed / 2);
    expect((await restoreStreamBytes(fixture, point)).bytes.equals(bytes)).toBe(true);
    const lost = expect.stringMatching(/has lost bytes [0-9]+-[0-9]+ of stream/);
    await expect(restoreStreamBytes(fixture, older)).rejects.toMatchObject({
      code: "point-damaged",
      message: lost,
    });
    expect((await restoreStreamBytes(fixture, older, { length: 1000 })).bytes).toHaveLength(1000);
    const controlPrivateKey = fixture.repository.controlPrivateKey(fixtureDomain);
    const keeper = { ...fixture, logger: silentLogger, controlPrivateKey };
    const { after } = await executeRepair(keeper, await planRepair(keeper, call), call);
    expect(after.volumes).toEqual([]);
    expect((await restoreStreamBytes(fixture, older)).bytes.equals(bytes)).toBe(true);
    expect((await runCheck(fixture)).findings).toEqual([]);
  });
});

test("a full check opens what dumps share once, wherever it lies in them", async () => {
  const { fixture, bytes, point } = await openScene("shared");
  const later = withInsertion(bytes, 5, streamBytes(fixture.random, 20_000));
  await backUpStream(fixture, { input: later, parent: point });
  let bytesRead = 0;
  const store = {
    ...fixture.store,
    read: async (...read: Parameters<typeof fixture.store.read>) => {
      const found = await fixture.store.read(...read);
      if (read[0].includes("/pack/")) bytesRead += found.length;
      return found;
    },
  };
  const { findings } = await runCheck(fixture, { store });
  expect(findings).toEqual([]);
  expect(bytesRead).toBeGreaterThan(bytes.length);
  expect(bytesRead).toBeLessThan(bytes.length * 1.2);
});
