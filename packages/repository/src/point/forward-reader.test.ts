import { describe, expect, test } from "vitest";
import { randomBelow } from "@garrison/core/random";
import { readFooter } from "../backup/load-resume.ts";
import type { ForwardedItem } from "../format/forward.ts";
import { maxPackBytes } from "../format/format-limits.ts";
import { packName, parsePackName } from "../format/object-names.ts";
import { PackBuilder, type PackAddress } from "../format/pack-container.ts";
import { storeForward } from "../keeper/keeper-session.ts";
import {
  backUp,
  call,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  restore,
  smallLimits,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openCountingObjectStore } from "../store/counting-object-store.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { readForward } from "./forward-reader.ts";
import { newLaneId } from "./session-id.ts";

const keeperOf = (fixture: Fixture, signer = fixture) => ({
  ...fixture,
  controlPrivateKey: signer.repository.controlPrivateKey(fixtureDomain),
});

/** Copies all items of a pack behind a gap into a new pack of `session` and writes the forward; the pack itself stays. */
async function copyPack(
  fixture: Fixture,
  pack: PackAddress,
  options: { readonly session: string; readonly signer?: Fixture; readonly from?: string },
): Promise<string> {
  const { keys, store, random } = fixture;
  const source = options.from ?? packName(keys.domain, pack.kind, pack);
  const bytes = await store.read(source, call);
  const target = { kind: pack.kind, session: options.session, lane: newLaneId(random), number: 0 };
  const itemKey = new Uint8Array(32);
  const builder = new PackBuilder(target, { keys, itemKey }, Buffer.alloc(maxPackBytes));
  const items: ForwardedItem[] = [];
  const moved = await movedItems(fixture, pack, options.from);
  for (const entry of moved) {
    builder.appendSealed(entry, Buffer.alloc(1 + randomBelow(random, 100)));
    const stored = bytes.subarray(entry.from, entry.from + entry.length);
    const { offset: newOffset } = builder.appendSealed(entry, stored);
    const { offset, length, codec } = entry;
    items.push({ offset, length, newOffset, newLength: length, codec });
  }
  const targetName = packName(keys.domain, pack.kind, target);
  await store.create(targetName, builder.finish(), call);
  await storeForward(
    keeperOf(fixture, options.signer),
    { kind: pack.kind, origin: pack, target, items },
    call,
  );
  return targetName;
}

async function footerOf(fixture: Fixture, pack: PackAddress) {
  const sizeBytes = fixture.objects.get(packName(fixtureDomain, pack.kind, pack))!.bytes.length;
  return readFooter(fixture, { address: pack, sizeBytes }, call);
}

/** The items of a pack, and where their bytes are: in itself, or in the pack that they were moved to. */
async function movedItems(fixture: Fixture, pack: PackAddress, from: string | undefined) {
  if (from === undefined)
    return (await footerOf(fixture, pack)).map((entry) => ({ ...entry, from: entry.offset }));
  const name = { kind: pack.kind, origin: pack, target: parsePackName(from)! };
  const forward = (await readForward(fixture, name, call))!;
  const footer = await footerOf(fixture, parsePackName(from)!);
  return forward.items.map(({ offset, length, newOffset }) => {
    const entry = footer.find((each) => each.offset === newOffset)!;
    return { ...entry, offset, length, from: newOffset };
  });
}

function packsOf(fixture: Fixture): PackAddress[] {
  return [...fixture.objects.keys()].toSorted().flatMap((key) => parsePackName(key) ?? []);
}

async function openScene(seed: string) {
  const fixture = openFixture(seed);
  const disk = new MemoryDisk(700);
  for (let index = 0; index < 12; index++) disk.write(index * 55, fixture.random, 90_000);
  const { point } = await backUp(fixture, { source: disk.source() });
  const remove = (pack: PackAddress) => fixture.objects.delete(packName(fixtureDomain, pack.kind, pack));
  return { fixture, disk, point, packs: packsOf(fixture), remove };
}

const early = "ee".repeat(8);
const late = "ff".repeat(8);

async function restores(
  { fixture, disk, point }: Awaited<ReturnType<typeof openScene>>,
  store = fixture.store,
) {
  return firstDifference(await restore(fixture, point, { store }), disk.copy()) === undefined;
}

describe("a restore", () => {
  test("finds chunks and pages whose packs have all been moved, with one listing a session and kind", async () => {
    const scene = await openScene("moved");
    expect(new Set(scene.packs.map((pack) => pack.kind))).toEqual(new Set(["pack", "map"]));
    for (const pack of scene.packs) await copyPack(scene.fixture, pack, { session: late });
    for (const pack of scene.packs) scene.remove(pack);
    const store = openCountingObjectStore(scene.fixture.store);
    expect(await restores(scene, store)).toBe(true);
    // Slot and tombstone, notes on losses, then the forwards of the session's packs and of its map packs.
    expect(store.counts.lists).toBe(5);
  });

  test("lists no forwards while every pack is where it was", async () => {
    const scene = await openScene("unmoved");
    for (const pack of scene.packs) await copyPack(scene.fixture, pack, { session: late });
    const store = openCountingObjectStore(scene.fixture.store);
    expect(await restores(scene, store)).toBe(true);
    expect(store.counts.lists).toBe(3);
  });

  test("takes the greatest forward whose target exists", async () => {
    const scene = await openScene("several");
    for (const pack of scene.packs) {
      const targets = [];
      for (const session of [early, late]) targets.push(await copyPack(scene.fixture, pack, { session }));
      scene.fixture.objects.delete(targets[pack.number % 2]!);
      scene.remove(pack);
    }
    expect(await restores(scene)).toBe(true);
  });

  test("leaves a forward that the keeper did not sign aside", async () => {
    const scene = await openScene("stranger");
    const [pack] = scene.packs.filter((each) => each.kind === "pack");
    await copyPack(scene.fixture, pack!, { session: late, signer: openFixture("other keys") });
    scene.remove(pack!);
    await expect(restores(scene)).rejects.toMatchObject({ code: "object-missing" });
  });

  test("lists once more before it reports a loss: the pack may be on its way", async () => {
    const scene = await openScene("on its way");
    const [pack] = scene.packs.filter((each) => each.kind === "pack");
    const first = await copyPack(scene.fixture, pack!, { session: early });
    scene.remove(pack!);
    let listings = 0;
    const store = openFaultyObjectStore(scene.fixture.store, ({ method, key }) => {
      if (method === "list" && key.includes("/moved/pack/")) listings++;
      return undefined;
    });
    const moving: ObjectStore = {
      ...store,
      async read(key, options) {
        if (key === first && scene.fixture.objects.has(first)) {
          await copyPack(scene.fixture, pack!, { session: late, from: first });
          scene.fixture.objects.delete(first);
        }
        return store.read(key, options);
      },
    };
    expect(await restores(scene, moving)).toBe(true);
    expect(listings).toBe(2);
  });
});

/** Stores other copies of the same items, sealed anew by another session, as a backup that heals does. */
async function repairPack(scene: Awaited<ReturnType<typeof openScene>>, pack: PackAddress) {
  const { fixture, disk } = scene;
  const before = new Set(fixture.objects.keys());
  // A backup that does not see the first point stores everything anew.
  const slot = [...before].find((key) => key.includes("/point/") && key.endsWith(scene.point))!;
  const record = fixture.objects.get(slot)!;
  fixture.objects.delete(slot);
  const healed = await backUp(fixture, {
    source: disk.source(),
    limits: { ...smallLimits, packBytes: 2 ** 21 },
  });
  fixture.objects.set(slot, record);
  const copies = new Map<string, ForwardedItem & { readonly target: PackAddress }>();
  for (const key of [...fixture.objects.keys()].filter((each) => !before.has(each))) {
    const target = parsePackName(key);
    if (target === undefined || target.session !== healed.point) continue;
    for (const entry of await footerOf(fixture, target)) {
      const { offset: newOffset, length: newLength, codec } = entry;
      const place = { offset: 0, length: 0, newOffset, newLength, codec, sealedIn: target, target };
      copies.set(Buffer.from(entry.id).toString("hex"), place);
    }
  }
  const repaired = new Map<PackAddress, ForwardedItem[]>();
  for (const entry of await footerOf(fixture, pack)) {
    const copy = copies.get(Buffer.from(entry.id).toString("hex"));
    if (copy === undefined) continue;
    const { target, ...place } = copy;
    const item = { ...place, offset: entry.offset, length: entry.length };
    repaired.set(target, [...(repaired.get(target) ?? []), item]);
  }
  expect(repaired.size).toBeGreaterThan(0);
  for (const [target, items] of repaired) {
    await storeForward(keeperOf(fixture), { kind: pack.kind, origin: pack, target, items }, call);
  }
}

describe("a repaired item", () => {
  test("is read under the key of the session that stored it anew, when its pack is gone or its bytes are wrong", async () => {
    for (const loss of ["gone", "damaged", "cut"] as const) {
      const scene = await openScene(`repaired ${loss}`);
      const pack = scene.packs.find((each) => each.kind === "pack")!;
      const name = packName(fixtureDomain, "pack", pack);
      await repairPack(scene, pack);
      const { bytes, modifiedMs } = scene.fixture.objects.get(name)!;
      if (loss === "gone") scene.remove(pack);
      if (loss === "damaged") bytes.fill(0xee, 40);
      if (loss === "cut") scene.fixture.objects.set(name, { bytes: bytes.slice(0, 50), modifiedMs });
      expect(await restores(scene), loss).toBe(true);
    }
  });
});

describe("an incremental backup", () => {
  test("goes on from a parent whose map packs have been moved", async () => {
    const scene = await openScene("moved parent");
    const { fixture, disk, point } = scene;
    for (const pack of scene.packs.filter((each) => each.kind === "map")) {
      await copyPack(fixture, pack, { session: late });
      scene.remove(pack);
    }
    disk.write(56, fixture.random);
    const next = await backUp(fixture, { source: disk.source([56]), parent: point });
    expect(next.volumes[0]!.blocksStored).toBe(1);
    expect(await restores({ ...scene, point: next.point })).toBe(true);
  });
});
