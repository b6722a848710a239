import { describe, expect, test } from "vitest";
import { systemClock } from "@garrison/core/clock";
import { VirtualClock } from "@garrison/core/virtual-clock";
import { bytesOf, call, collect } from "./contract-fixture.ts";
import { openCountingObjectStore } from "./counting-object-store.ts";
import { describeObjectStore } from "./object-store-contract.ts";
import { openUnshadowedObjectStore, type Shadow } from "./unshadowed-object-store.ts";
import { openVersionedMemoryStore } from "./versioned-memory-store.ts";

// What is deleted here is gone for good, so the contract's part on versions below deletions doesn't apply.
describeObjectStore("an unshadowed store", async () => {
  const { versions: _, ...store } = openMethods();
  return { store, largestBytes: 100_000 };
  function openMethods() {
    const unshadowed = openUnshadowedObjectStore(openVersionedMemoryStore({ clock: systemClock }));
    return {
      address: unshadowed.address,
      versions: unshadowed.versions,
      create: unshadowed.create.bind(unshadowed),
      read: unshadowed.read.bind(unshadowed),
      list: unshadowed.list.bind(unshadowed),
      listFolders: unshadowed.listFolders.bind(unshadowed),
      delete: unshadowed.delete.bind(unshadowed),
    };
  }
});

async function openScene() {
  const clock = new VirtualClock();
  const bucket = openVersionedMemoryStore({ clock, lockMode: "governance" });
  for (const key of ["d/pack/a", "d/pack/b", "d/point/c"]) await bucket.create(key, bytesOf(`${key}!`), call);
  const shadows: Shadow[] = [];
  const counted = openCountingObjectStore(bucket);
  const store = openUnshadowedObjectStore(counted, {
    onShadowed: (shadow) => shadows.push(shadow),
    isDecisive: (key) => key.includes("/point/"),
  });
  const textOf = async (key: string) => Buffer.from(await store.read(key, call)).toString();
  return { clock, bucket, store, shadows, textOf, counts: counted.counts };
}

const keysAndSizes = [
  { key: "d/pack/a", sizeBytes: 9 },
  { key: "d/pack/b", sizeBytes: 9 },
  { key: "d/point/c", sizeBytes: 10 },
];

describe("an unshadowed store", () => {
  test("reads and lists what a stranger has hidden, and says so", async () => {
    const { bucket, store, shadows, textOf } = await openScene();
    for (const { key } of keysAndSizes) bucket.hide(key);
    expect(await textOf("d/pack/a")).toBe("d/pack/a!");
    expect(await collect(store.list("", call))).toMatchObject(keysAndSizes);
    expect(await collect(store.listFolders("d/", call))).toEqual(["d/pack/", "d/point/"]);
    expect(new Set(shadows.map(({ key, how }) => `${how} ${key}`))).toEqual(
      new Set(["hidden d/pack/a", "hidden d/pack/b", "hidden d/point/c"]),
    );
  });

  test("lists the size of our version, and reads it once it was listed, or where it decides", async () => {
    const { bucket, store, shadows, textOf } = await openScene();
    for (const { key } of keysAndSizes) bucket.overwrite(key, bytesOf("a stranger's"));
    expect(await textOf("d/point/c")).toBe("d/point/c!");
    // Unlisted and not decisive: one request, as without versions. A reader who finds it damaged looks further.
    expect(await textOf("d/pack/a")).toBe("a stranger's");
    expect(await collect(store.list("", call))).toMatchObject(keysAndSizes);
    expect(await textOf("d/pack/a")).toBe("d/pack/a!");
    expect(shadows.every((shadow) => shadow.how === "overwritten")).toBe(true);
  });

  test("reads behind a version that was cut short", async () => {
    const { bucket, store } = await openScene();
    bucket.overwrite("d/pack/a", bytesOf("d/"));
    const range = { offset: 2, length: 4 };
    expect(Buffer.from(await store.read("d/pack/a", { ...call, range })).toString()).toBe("pack");
  });

  test("costs a healthy store no request for a pack, and none for what was just listed", async () => {
    const { store, textOf, counts, shadows } = await openScene();
    await textOf("d/pack/a");
    expect(counts).toMatchObject({ reads: 1, lists: 0 });
    await collect(store.list("d/point/", call));
    await textOf("d/point/c");
    expect(counts).toMatchObject({ reads: 2, lists: 1 });
    expect(shadows).toEqual([]);
  });

  test("a decisive name that is hidden can't be taken again", async () => {
    const { bucket, store, textOf } = await openScene();
    bucket.hide("d/point/c");
    expect(await store.create("d/point/c", bytesOf("second"), call)).toBe("exists");
    expect(await textOf("d/point/c")).toBe("d/point/c!");
    expect(await store.create("d/point/new", bytesOf("first"), call)).toBe("created");
  });

  test("deletes for good, with everything that strangers put over it", async () => {
    const { bucket, store } = await openScene();
    bucket.overwrite("d/pack/a", bytesOf("other"));
    bucket.hide("d/pack/a");
    await store.delete("d/pack/a", call);
    expect([...bucket.objects.keys()]).toEqual(["d/pack/b", "d/point/c"]);
    await expect(store.read("d/pack/a", call)).rejects.toMatchObject({ code: "object-missing" });
  });

  test("touches nothing of an object whose first version is locked", async () => {
    const { clock, bucket, store } = await openScene();
    const untilMs = clock.now() + 5000;
    await bucket.create("d/pack/locked", bytesOf("x"), { ...call, retainUntilMs: untilMs });
    bucket.hide("d/pack/locked");
    await expect(store.delete("d/pack/locked", call)).rejects.toMatchObject({
      code: "object-locked",
      details: { untilMs },
    });
    expect(bucket.objects.get("d/pack/locked")).toHaveLength(2);
    await clock.advance(5000);
    await store.delete("d/pack/locked", call);
    expect(bucket.objects.has("d/pack/locked")).toBe(false);
  });

  test("of any number of foreign versions, ours is found", async () => {
    const { bucket, store, textOf } = await openScene();
    for (let turn = 0; turn < 3000; turn++) bucket.overwrite("d/point/c", bytesOf(`flood ${turn}`));
    expect(await textOf("d/point/c")).toBe("d/point/c!");
    expect(await collect(store.list("d/point/", call))).toMatchObject([{ sizeBytes: 10 }]);
  });
});
