import { expect, test } from "vitest";
import { minuteMs } from "@garrison/core/units";
import { bytesOf, call, collect, type WithStore } from "./contract-fixture.ts";
import type { ObjectStore, ObjectVersions, StoredVersion } from "./object-store.ts";

const hourMs = 60 * minuteMs;

/** What keepers and readers rely on where versions, or versions and locks, are kept. Elsewhere these tests have no case. */
export function describeVersions(withStore: WithStore): void {
  describeHiding(withStore);
  describeVersionListing(withStore);
  describeLocks(withStore);
}

const textOf = async (bytes: Promise<Uint8Array>) => Buffer.from(await bytes).toString();
const versionsOf = (versions: ObjectVersions, key: string): Promise<StoredVersion[]> =>
  collect(versions.list(key, call));

/** An object that was hidden, made again and hidden again: markers on top and in between. */
async function hideTwice(store: ObjectStore, key: string): Promise<void> {
  for (const text of ["first", "second"]) {
    expect(await store.create(key, bytesOf(text), call)).toBe("created");
    await store.delete(key, call);
  }
}

function describeHiding(withStore: WithStore): void {
  test(
    "where versions are kept, a deleted object is only hidden",
    withStore(async (store) => {
      if (store.versions === undefined) return;
      await hideTwice(store, "k");
      await expect(store.read("k", call)).rejects.toMatchObject({ code: "object-missing" });
      const found = await versionsOf(store.versions, "k");
      expect(found.map(({ key, isLatest, isDeleteMarker }) => ({ key, isLatest, isDeleteMarker }))).toEqual([
        { key: "k", isLatest: true, isDeleteMarker: true },
        { key: "k", isLatest: false, isDeleteMarker: false },
        { key: "k", isLatest: false, isDeleteMarker: true },
        { key: "k", isLatest: false, isDeleteMarker: false },
      ]);
      expect(found.map((version) => version.sizeBytes)).toEqual([0, 6, 0, 5]);
      expect(await textOf(store.versions.read(found[3]!, call))).toBe("first");
      expect(await textOf(store.versions.read(found[1]!, call))).toBe("second");
    }),
  );
  test(
    "a range of a version is read exactly",
    withStore(async (store) => {
      if (store.versions === undefined) return;
      await hideTwice(store, "k");
      const version = (await versionsOf(store.versions, "k")).at(-1)!;
      const range = (offset: number, length: number) => ({ ...call, range: { offset, length } });
      expect(await textOf(store.versions.read(version, range(1, 3)))).toBe("irs");
      await expect(store.versions.read(version, range(3, 3))).rejects.toMatchObject({
        code: "object-truncated",
      });
    }),
  );
  test(
    "a version that is deleted is gone, and one below it comes back",
    withStore(async (store) => {
      const { versions } = store;
      if (versions === undefined) return;
      await hideTwice(store, "k");
      for (const version of (await versionsOf(versions, "k")).slice(0, 3))
        await versions.delete(version, call);
      expect(await textOf(store.read("k", call))).toBe("first");
      const [left] = await versionsOf(versions, "k");
      await versions.delete(left!, call);
      await versions.delete(left!, call);
      expect(await versionsOf(versions, "k")).toEqual([]);
      await expect(versions.read(left!, call)).rejects.toMatchObject({ code: "object-missing" });
      expect(await store.create("k", bytesOf("third"), call)).toBe("created");
    }),
  );
}

function describeVersionListing(withStore: WithStore): void {
  test(
    "versions are listed by key, then newest first, over pages and from anywhere",
    withStore(async (store) => {
      const { versions } = store;
      if (versions === undefined) return;
      for (let turn = 0; turn < 360; turn++) {
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
      expect(all).toHaveLength(720 + 4 * 4);
      expect(all.filter((version) => version.isLatest)).toHaveLength(5);
      const texts = all.filter((version) => version.key === "many" && !version.isDeleteMarker);
      expect(await textOf(versions.read(texts[0]!, call))).toBe("359");
      expect(await textOf(versions.read(texts.at(-1)!, call))).toBe("0");
      const after = await collect(versions.list("many", { ...call, startAfter: "many" }));
      expect(after.map((version) => version.key)).toEqual(Array.from({ length: 4 }, () => "many/more"));
    }),
  );
}

function describeLocks(withStore: WithStore): void {
  const newestOf = async (versions: ObjectVersions, key: string) => (await versionsOf(versions, key))[0]!;
  test(
    "what is created with a lock can't be deleted before its date",
    withStore(async (store, clock) => {
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
    withStore(async (store, clock) => {
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
    withStore(async (store, clock) => {
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
