import { beforeAll, describe, expect, test } from "vitest";
import { isDecisiveName, parsePackName } from "../format/object-names.ts";
import { endPoint } from "../keeper/end-session.ts";
import { strangersForward } from "../simulation/damage.ts";
import {
  backUp,
  call,
  drawSession,
  firstDifference,
  fixtureDomain,
  MemoryDisk,
  openFixture,
  restore,
  type Fixture,
} from "../simulation/engine-fixture.ts";
import { openUnshadowedObjectStore, type Shadow } from "../store/unshadowed-object-store.ts";
import { openVersionedMemoryStore, type VersionedMemoryStore } from "../store/versioned-memory-store.ts";
import { listPoints } from "./list-points.ts";

/*
 * Somebody who may write to a versioned bucket hides or replaces our objects, one at a time and all at once: what was
 * backed up comes back all the same, and the shadow is told.
 */

interface Scene extends Fixture {
  readonly bucket: VersionedMemoryStore;
  readonly shadows: Shadow[];
  readonly point: string;
  readonly blocks: ReadonlyMap<number, Uint8Array>;
}

async function openScene(seed: string): Promise<Scene> {
  const fixture = openFixture(seed);
  const bucket = openVersionedMemoryStore(fixture);
  const shadows: Shadow[] = [];
  const store = openUnshadowedObjectStore(bucket, {
    onShadowed: (shadow) => shadows.push(shadow),
    isDecisive: isDecisiveName,
  });
  const disk = new MemoryDisk(40);
  for (const index of [0, 3, 4, 20, 39]) disk.write(index, fixture.random, 30_000);
  const { point } = await backUp({ ...fixture, store: bucket }, { source: disk.source() });
  return { ...fixture, store, bucket, shadows, point, blocks: disk.copy() };
}

type Shading = (scene: Scene, key: string) => void;

const shadings: Readonly<Record<string, Shading>> = {
  "a delete marker": ({ bucket }, key) => bucket.hide(key),
  "an altered copy": ({ bucket }, key) => {
    const bytes = new Uint8Array(bucket.objects.get(key)!.at(-1)!.bytes!);
    for (let offset = 7; offset < bytes.length; offset += 97) bytes[offset]! ^= 1;
    bucket.overwrite(key, bytes);
  },
  "a shorter copy": ({ bucket }, key) => {
    bucket.overwrite(key, bucket.objects.get(key)!.at(-1)!.bytes!.subarray(0, 40));
  },
  "rubbish under a delete marker": ({ bucket }, key) => {
    bucket.overwrite(key, Buffer.from("rubbish"));
    bucket.hide(key);
  },
};

async function expectWhole(scene: Scene): Promise<void> {
  const points = await listPoints(scene, {}, call);
  expect(points.map((point) => point.sessionId)).toEqual([scene.point]);
  expect(firstDifference(await restore(scene, scene.point), scene.blocks)).toBeUndefined();
}

describe.each(Object.entries(shadings))("under %s", (_, shade) => {
  let keys: readonly string[];
  beforeAll(async () => {
    keys = [...(await openScene("keys")).bucket.objects.keys()];
  });

  test("each single object of a restore point is still found", async () => {
    for (const key of keys) {
      const scene = await openScene("keys");
      shade(scene, key);
      await expectWhole(scene);
      if (/\/(point|pack|map)\//.test(key))
        expect(scene.bucket.objects.get(key)!.length, key).toBeGreaterThan(1);
    }
  });

  test("a whole repository is still found", async () => {
    const scene = await openScene("all");
    for (const key of scene.bucket.objects.keys()) shade(scene, key);
    await expectWhole(scene);
    expect(scene.shadows.length).toBeGreaterThan(0);
  });

  test("a whole repository is still found with a stranger's forward beside each pack", async () => {
    const scene = await openScene("forwards");
    for (const key of scene.bucket.objects.keys()) shade(scene, key);
    const packs = [...scene.bucket.objects.keys()].filter((key) => parsePackName(key) !== undefined);
    for (const pack of packs) await scene.bucket.create(...strangersForward(pack), call);
    await expectWhole(scene);
    expect(packs.length).toBeGreaterThan(2);
  });

  test("a point that has ended stays ended", async () => {
    const scene = await openScene("ended");
    const controlPrivateKey = scene.repository.controlPrivateKey(fixtureDomain);
    await endPoint({ ...scene, controlPrivateKey }, { series: "disk", sessionId: scene.point }, call);
    for (const key of scene.bucket.objects.keys()) shade(scene, key);
    expect(await listPoints(scene, {}, call)).toEqual([]);
  });
});

test("a session whose record is hidden is committed once: a twin finds the first record", async () => {
  const fixture = openFixture("twins");
  const bucket = openVersionedMemoryStore(fixture);
  const store = openUnshadowedObjectStore(bucket, { isDecisive: isDecisiveName });
  const disk = new MemoryDisk(10);
  disk.write(1, fixture.random);
  const scene = { ...fixture, store };
  const sessionId = await drawSession(scene);
  await backUp(scene, { source: disk.source(), sessionId });
  const slot = [...bucket.objects.keys()].find((key) => key.includes("/point/"))!;
  bucket.hide(slot);
  await backUp(scene, { source: disk.source(), sessionId });
  expect(bucket.objects.get(slot)!.filter((version) => version.bytes !== undefined)).toHaveLength(1);
});
