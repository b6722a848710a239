import { expect, test } from "vitest";
import { minuteMs } from "@garrison/core/units";
import { bytesOf, call, collect, type WithStore } from "./contract-fixture.ts";
import type { ObjectStore, ObjectVersions, StoredVersion } from "./object-store.ts";

const hourMs = 60 * minuteMs;

/** What keepers and readers rely on where versions, or versions and locks, are kept. Elsewhere these tests have no case. */
export function describeVersions(withStore: WithStore): void {
  describeHiding(withStore);
  describeVersionListing(withStore);
  describeHiddenFolders(withStore);
  describeLocks(withStore);
}

const textOf = async (bytes: Promise<Uint8Array>) => Buffer.from(await bytes).toString();
const versionsOf = (versions: ObjectVersions, key: string): Promise<StoredVersion[]> =>
  collect(versions.list(key, call));

/** An object that was hidden, made again and hidden again: markers on top and in between. */
async function hideTwice(store: ObjectStore, key: string): Promise<void> {
  for (const text of ["first", "second"]) {
    await store.create(key, bytesOf(text), call);
    await store.delete(key, call);
  }
}

function describeHiding(withStore: WithStore): void {
  test(
    "where versions are kept, a deleted object is only hidden",
    withStore(async ({ store }) => {
      if (store.versions === undefined) return;
      await hideTwice(store, "k");
      await expect(store.read("k", call)).rejects.toMatchObject({ code: "object-missing" });
      const found = await versionsOf(store.versions, "k");
      expect(found.map((version) => version.isLatest)).toEqual(found.map((_, age) => age === 0));
      expect(found.every((version) => version.key === "k")).toBe(true);
      expect(found[0]).toMatchObject({ isDeleteMarker: true, sizeBytes: 0 });
      const [second, first] = found.filter((version) => !version.isDeleteMarker);
      expect([second!.sizeBytes, first!.sizeBytes]).toEqual([6, 5]);
      expect(await textOf(store.versions.read(first!, call))).toBe("first");
      expect(await textOf(store.versions.read(second!, call))).toBe("second");
      const markers = found.filter((version) => version.isDeleteMarker);
      // A deletion whose answer was lost and that was sent again leaves one more.
      expect(markers.length).toBeGreaterThanOrEqual(2);
      await expect(store.versions.read(markers[0]!, call)).rejects.toMatchObject({ code: "object-missing" });
    }),
  );
  test(
    "a range of a version is read exactly",
    withStore(async ({ store }) => {
      if (store.versions === undefined) return;
      await hideTwice(store, "k");
      const version = (await versionsOf(store.versions, "k")).findLast((each) => !each.isDeleteMarker)!;
      const range = (offset: number, length: number) => ({ ...call, range: { offset, length } });
      expect(await textOf(store.versions.read(version, range(1, 3)))).toBe("irs");
      await expect(store.versions.read(version, range(3, 3))).rejects.toMatchObject({
        code: "object-truncated",
      });
    }),
  );
  test(
    "a version that is deleted is gone, and one below it comes back",
    withStore(async ({ store }) => {
      const { versions } = store;
      if (versions === undefined) return;
      await hideTwice(store, "k");
      const found = await versionsOf(versions, "k");
      const first = found.findLast((version) => !version.isDeleteMarker)!;
      for (const version of found.filter((each) => each !== first)) await versions.delete(version, call);
      expect(await textOf(store.read("k", call))).toBe("first");
      const [left] = await versionsOf(versions, "k");
      await versions.delete(left!, call);
      await versions.delete(left!, call);
      expect(await versionsOf(versions, "k")).toEqual([]);
      await expect(versions.read(left!, call)).rejects.toMatchObject({ code: "object-missing" });
      await store.create("k", bytesOf("third"), call);
      expect(await textOf(store.read("k", call))).toBe("third");
    }),
  );
}

function describeVersionListing(withStore: WithStore): void {
  test(
    "versions are listed by key, then newest first, over pages and from anywhere",
    withStore(async ({ store, pageKeys }) => {
      const { versions } = store;
      if (versions === undefined) return;
      const turns = Math.ceil(pageKeys * 0.36);
      for (let turn = 0; turn < turns; turn++) {
        await store.create("many", bytesOf(String(turn)), call);
        await store.delete("many", call);
      }
      for (const key of ["a/b", "a-b", "z", "many/more"]) await hideTwice(store, key);
      const all = await versionsOf(versions, "");
      expect([...new Set(all.map((version) => version.key))]).toEqual([
        "a-b",
        "a/b",
        "many",
        "many/more",
        "z",
      ]);
      expect(all.filter((version) => version.isLatest)).toHaveLength(5);
      expect(new Set(all.map((version) => version.versionId)).size).toBe(all.length);
      expect(all.filter((version) => version.isDeleteMarker).length).toBeGreaterThanOrEqual(turns + 8);
      const holding = all.filter((version) => !version.isDeleteMarker);
      expect(holding).toHaveLength(turns + 8);
      const texts = holding.filter((version) => version.key === "many");
      expect(await textOf(versions.read(texts[0]!, call))).toBe(String(turns - 1));
      expect(await textOf(versions.read(texts.at(-1)!, call))).toBe("0");
      const after = await collect(versions.list("many", { ...call, startAfter: "many" }));
      expect([...new Set(after.map((version) => version.key))]).toEqual(["many/more"]);
    }),
  );
}

function describeHiddenFolders(withStore: WithStore): void {
  test(
    "folders of which everything is hidden are still known",
    withStore(async ({ store }) => {
      const { versions } = store;
      if (versions === undefined) return;
      for (const key of ["d/hidden/a", "d/shown/a", "d/shown/b"]) await store.create(key, bytesOf("x"), call);
      await store.delete("d/hidden/a", call);
      expect(await collect(store.listFolders("d/", call))).toEqual(["d/shown/"]);
      expect(await collect(versions.listFolders("d/", call))).toEqual(["d/hidden/", "d/shown/"]);
    }),
  );
}

function describeLocks(withStore: WithStore): void {
  const newestOf = async (versions: ObjectVersions, key: string) => (await versionsOf(versions, key))[0]!;
  test(
    "what is created with a lock can't be deleted before its date",
    withStore(async ({ store, clock }) => {
      const { versions } = store;
      if (versions?.lockMode === undefined) return;
      const untilMs = wholeSecond(clock.now() + hourMs);
      await store.create("k", bytesOf("locked"), { ...call, retainUntilMs: untilMs });
      const version = await newestOf(versions, "k");
      expect(await versions.readRetention(version, call)).toEqual({ mode: versions.lockMode, untilMs });
      await expect(versions.delete(version, call)).rejects.toMatchObject({
        code: "object-locked",
        details: { untilMs },
      });
      await store.delete("k", call);
      expect(await textOf(versions.read(version, call))).toBe("locked");
      await versions.delete(await newestOf(versions, "k"), call);
      expect(await textOf(store.read("k", call))).toBe("locked");
    }),
  );
  test(
    "a lock grows and never shrinks",
    withStore(async ({ store, clock }) => {
      const { versions } = store;
      if (versions?.lockMode === undefined) return;
      const [soon, later, last] = [1, 2, 3].map((hours) => wholeSecond(clock.now() + hours * hourMs));
      await store.create("k", bytesOf("locked"), { ...call, retainUntilMs: soon! });
      const version = await newestOf(versions, "k");
      for (const [asked, expected] of [
        [later, later],
        [soon, later],
        [later, later],
        [last, last],
      ]) {
        await versions.extendRetention(version, asked!, call);
        expect((await versions.readRetention(version, call))?.untilMs).toBe(expected);
      }
    }),
  );
  test(
    "an object without a lock says so, can be locked later, or is refused where there are no locks",
    withStore(async ({ store, clock }) => {
      const { versions } = store;
      if (versions === undefined) return;
      await store.create("k", bytesOf("free"), call);
      const version = await newestOf(versions, "k");
      expect(await versions.readRetention(version, call)).toBeUndefined();
      const untilMs = wholeSecond(clock.now() + hourMs);
      const extended = versions.extendRetention(version, untilMs, call);
      if (versions.lockMode === undefined) {
        await expect(extended).rejects.toMatchObject({ code: "locks-unsupported" });
        await versions.delete(version, call);
      } else {
        await extended;
        await expect(versions.delete(version, call)).rejects.toMatchObject({ code: "object-locked" });
      }
    }),
  );
}

function wholeSecond(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000;
}
