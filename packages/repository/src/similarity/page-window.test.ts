import { expect, test } from "vitest";
import { PackStream } from "../backup/pack-stream.ts";
import { openPageWriter } from "../backup/page-writer.ts";
import { itemKinds, leafEntries } from "../format/format-limits.ts";
import { emptyLeaf, encodeLeaf } from "../format/leaf-page.ts";
import type { PageReference } from "../format/page-reference.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import { call, openFixture } from "../simulation/engine-fixture.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import { PageWindow } from "./page-window.ts";

const lane = { session: "00".repeat(8), lane: "11".repeat(4) };

/** A volume whose leaf `n` holds, at its first place, a block with an id that begins with 8 bytes of `n + 1`. */
async function openVolume(leaves: number) {
  const fixture = openFixture("window");
  const { keys } = fixture;
  const store = openCountingObjectStore(fixture.store);
  const stream = new PackStream(
    { store, keys, ...lane, kind: "map", secret: keys.mapKey, packBytes: 4 << 20, packsInFlight: 1 },
    call,
  );
  const pages = openPageWriter({ keys, ...lane }, stream);
  const place = { series: "22".repeat(16), volumeId: "vol-1" };
  const references: PageReference[] = [];
  for (let number = 0; number < leaves; number++) {
    const leaf = emptyLeaf();
    leaf[0] = { id: idOf(number), ...lane, pack: 0, offset: 32, length: 100, codec: 1 };
    const plain = encodeLeaf(leaf);
    const id = pages.idOf(itemKinds.leaf, plain);
    const page = { kind: itemKinds.leaf, volume: 0, position: number * leafEntries, plain, id };
    references.push({ ...(await pages.write(place, page)), count: 1 });
  }
  await stream.flush();
  const reader = { place, leafReference: async (leaf: number) => references[leaf] } as Partial<VolumeReader>;
  const window = new PageWindow({ store, keys }, call);
  return {
    store,
    window,
    volume: { point: { series: place.series, session: lane.session }, reader: reader as VolumeReader },
  };
}

function idOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number + 1);
}

test("a block is found by its id, and by its place, in leaves that were read; each is read once", async () => {
  const { store, window, volume } = await openVolume(2);
  expect(window.find(idOf(1))).toBeUndefined();
  await Promise.all([window.load(volume, 1), window.load(volume, 1)]);
  await window.load(volume, 1);
  expect(store.counts.reads).toBe(1);
  expect(window.find(idOf(1))).toMatchObject({ block: 512, address: { id: idOf(1) } });
  expect(window.findAt(volume, 512, idOf(1))).toMatchObject({ block: 512 });
  expect(window.findAt(volume, 513, idOf(1))).toBeUndefined();
  expect(window.find(idOf(0))).toBeUndefined();
});

test("an id of which only the first 8 bytes agree is never taken for the same block", async () => {
  const { window, volume } = await openVolume(1);
  await window.load(volume, 0);
  const other = idOf(0);
  other[8]! ^= 1;
  expect(window.table.has(other)).toBe(true);
  expect(window.find(other)).toBeUndefined();
  expect(window.findAt(volume, 0, other)).toBeUndefined();
});

test("at most 64 leaves are held; the oldest are let go and can be read again", async () => {
  const { store, window, volume } = await openVolume(100);
  for (let leaf = 0; leaf < 100; leaf++) await window.load(volume, leaf);
  const held = Array.from({ length: 100 }, (_, leaf) => leaf).filter((leaf) => window.find(idOf(leaf)));
  expect(held.length).toBeLessThanOrEqual(64);
  expect(held.length).toBeGreaterThanOrEqual(48);
  expect(held.at(-1)).toBe(99);
  for (const leaf of held) expect(window.find(idOf(leaf))!.block).toBe(leaf * 512);
  await window.load(volume, 0);
  expect(window.find(idOf(0))).toMatchObject({ block: 0 });
  expect(store.counts.reads).toBe(101);
});
