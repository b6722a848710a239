import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { dayMs, MiB } from "@garrison/core/units";
import { runCheck } from "../simulation/damage.ts";
import { openFixture, smallLimits } from "../simulation/engine-fixture.ts";
import { eager, end, forkFixture, namesOf, prune } from "../simulation/prune-fixture.ts";
import {
  backUpStream,
  restoreStreamBytes,
  streamBytes,
  withInsertion,
} from "../simulation/stream-fixture.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";

/** Packs of some dozens of chunks and map packs of several leaves, so that parts of both go out of use. */
const limits = {
  ...smallLimits,
  packBytes: 160 * 1024,
  mapPackBytes: 256 * 1024,
  packsPerMark: 64,
  leavesPerMark: 64,
};

/**
 * A dump of which the next one keeps every third part, at other places of the stream: something is in front of it, and the
 * first dump has ended.
 */
async function openThinned(seed: string, partBytes = 90_000, parts = 30) {
  const fixture = openFixture(seed);
  const { random } = fixture;
  const before = streamBytes(random, parts * partBytes);
  const back = (input: Buffer, parent?: string) =>
    backUpStream(fixture, { input, limits, ...(parent === undefined ? {} : { parent }) });
  const { point: first } = await back(before);
  const kept = Array.from({ length: parts }, (_, part) =>
    part % 3 === 0
      ? before.subarray(part * partBytes, (part + 1) * partBytes)
      : streamBytes(random, partBytes / 10),
  );
  const content = withInsertion(Buffer.concat(kept), 0, streamBytes(random, partBytes));
  const { point: second } = await back(content, first);
  await end(fixture, first, "dump");
  await fixture.clock.advance(1000);
  const verify = async (point: string, wanted: Buffer, in_ = fixture) =>
    expect((await restoreStreamBytes(in_, point)).bytes.equals(wanted), point).toBe(true);
  return { fixture, back, verify, first, second, content };
}

const repack = { ...eager, repackBelow: 0.7 };

describe("moving a stream's packs", () => {
  test("copies chunks of any length as they are sealed, deletes their packs, and every byte is still read", async () => {
    const { fixture, verify, first, second, content } = await openThinned("moved stream");
    const packs = namesOf(fixture, `pack/${first}`);
    const { packsMoved, bytesMoved, findings, plan } = await prune(fixture, repack);
    expect(plan.moves.candidates.filter((each) => each.kind === "pack").length).toBeGreaterThan(5);
    expect(packsMoved).toBe(namesOf(fixture, "moved").length);
    expect(bytesMoved).toBeGreaterThan(MiB / 2);
    expect(findings).toEqual([]);
    expect(namesOf(fixture, `pack/${first}`).length).toBeLessThan(packs.length / 4);
    await verify(second, content);
    expect((await runCheck(fixture)).findings).toEqual([]);
    expect((await prune(fixture, repack)).packsMoved).toBe(0);
    await verify(second, content);
  });

  test("reads a range of it from the packs that its chunks are in now", async () => {
    const { fixture, second, content } = await openThinned("range of a moved stream");
    await prune(fixture, repack);
    for (const offset of [0, 95_000, 700_001, content.length - 10_000]) {
      const { bytes } = await restoreStreamBytes(fixture, second, { offset, length: 9_999 });
      expect(bytes.equals(content.subarray(offset, offset + 9_999)), `${offset}`).toBe(true);
    }
  });

  test("leaves the next dump its chunks: what was moved is recognised and stored no second time", async () => {
    const { fixture, back, verify, second, content } = await openThinned("dump after a move");
    await prune(fixture, repack);
    const longer = withInsertion(content, 200_000, Buffer.from("a line more"));
    const { point: third, volumes } = await back(longer, second);
    expect(volumes[0]!.bytesStored).toBeLessThan(100_000);
    await end(fixture, second, "dump");
    await fixture.clock.advance(1000);
    await prune(fixture, repack);
    await verify(third, longer);
    expect((await runCheck(fixture)).findings).toEqual([]);
  });

  test("moves again what was moved before, always from where it was first, down to nothing", async () => {
    const { fixture, back, verify, second, content } = await openThinned("stream moved twice");
    await prune(fixture, repack);
    const once = namesOf(fixture, "moved/pack");
    const less = Buffer.concat([content.subarray(0, 150_000), content.subarray(900_000)]);
    const { point: third } = await back(less, second);
    await end(fixture, second, "dump");
    await fixture.clock.advance(1000);
    await prune(fixture, { ...eager, repackBelow: 0.99 });
    const origins = (names: readonly string[]) => names.map((name) => name.split("/").slice(0, 4).join("/"));
    const twice = namesOf(fixture, "moved/pack").filter((name) => !once.includes(name));
    expect(twice.length).toBeGreaterThan(0);
    expect(new Set(origins(namesOf(fixture, "moved/pack"))).size).toBe(namesOf(fixture, "moved/pack").length);
    await verify(third, less);
    expect((await runCheck(fixture)).findings).toEqual([]);
    await end(fixture, third, "dump");
    await fixture.clock.advance(1000);
    for (let pass = 0; pass < 2; pass++) await prune(fixture);
    expect(namesOf(fixture, "pack", "map", "moved", "session")).toEqual([]);
  });

  test("is survived at any call by the dump, and by a pass that comes after", async () => {
    const { fixture: scene, verify, second, content } = await openThinned("killed with a stream", 30_000, 12);
    const death = new GarrisonError("aborted", "the pruner was killed");
    const undisturbed = forkFixture(scene);
    const counting = openFaultyObjectStore(undisturbed.store, () => undefined);
    expect((await prune(undisturbed, repack, counting)).packsMoved).toBeGreaterThan(0);
    for (let at = 1; at <= counting.calls(); at += 3) {
      const fixture = forkFixture(scene);
      const store = openFaultyObjectStore(fixture.store, ({ number }) =>
        number < at ? undefined : { when: "before", error: death },
      );
      await prune(fixture, repack, store).catch((error: unknown) => expect(error).toBe(death));
      await verify(second, content, fixture);
      await fixture.clock.advance(2 * dayMs);
      const { plan } = await prune(fixture, repack);
      expect(plan.findings.filter((finding) => finding.severity === "damage")).toEqual([]);
      await verify(second, content, fixture);
    }
  }, 120_000);
});
