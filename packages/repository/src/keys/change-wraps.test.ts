import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { seededRandom } from "@garrison/core/random";
import { retiredName } from "../format/key-marks.ts";
import { wrapName } from "../format/key-wrap.ts";
import { call } from "../simulation/engine-fixture.ts";
import { keyringOf, killAtEachCall, openKeysFixture, refusalOf } from "../simulation/keys-fixture.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import { openVersionedMemoryStore } from "../store/versioned-memory-store.ts";
import { addWrap, changeSecret } from "./add-wrap.ts";
import { listWraps } from "./list-wraps.ts";
import { openKeyring } from "./open-keyring.ts";
import { openRepository } from "./open-repository.ts";
import { removeWrap } from "./remove-wrap.ts";

const random = seededRandom("change wraps");
const [first, second, third] = [1, 2, 3].map(() => ({ masterSecret: random.bytes(32) })) as [
  { masterSecret: Uint8Array },
  { masterSecret: Uint8Array },
  { masterSecret: Uint8Array },
];
const locked = new GarrisonError("store-access-denied", "a lock holds it");

describe("adding a key", () => {
  test("lets another secret open the repository, and shows when it was made and what it is called", async () => {
    const fixture = await openKeysFixture("add", [first]);
    await fixture.clock.advance(60_000);
    const keyring = await keyringOf(fixture, first);
    const wrapId = await addWrap(fixture, { keyring, secret: second, label: "the second" }, call);
    const opened = await openRepository(fixture, second, call);
    expect(opened.domainKeys("local")).toEqual(fixture.repository.domainKeys("local"));
    const listed = listWraps(await keyringOf(fixture, first));
    expect(listed).toMatchObject([
      { kind: "secret", state: "current", isAtHand: true, epochs: 1 },
      { wrapId, state: "current", isAtHand: false, label: "the second", madeAtMs: fixture.clock.now() },
    ]);
  });

  test("refuses labels that would spoil a listing", async () => {
    const fixture = await openKeysFixture("label", [first]);
    const keyring = await keyringOf(fixture, first);
    for (const label of ["x".repeat(101), "two\nlines", "\u001b[2J"]) {
      const adding = addWrap(fixture, { keyring, secret: second, label }, call);
      await expect(adding).rejects.toMatchObject({ code: "usage" });
    }
  });
});

describe("opening", () => {
  test("passes over foreign and damaged objects under key/, and names them only when nothing opens", async () => {
    const fixture = await openKeysFixture("damaged", [first]);
    const put = (name: string, text: string) => fixture.store.create(name, Buffer.from(text), call);
    await put("key/0000000000000000", "rubbish");
    await put("key/README", "hello");
    await put("key/0000000000000001", JSON.stringify({ kdf: "secret", salt: "", keys: "" }));
    expect(await refusalOf(fixture, first)).toBeUndefined();
    await expect(openRepository(fixture, second, call)).rejects.toMatchObject({
      code: "repository-password-wrong",
      message: expect.stringContaining("key/0000000000000000"),
      details: { skipped: [{ wrapId: "0000000000000000" }, { wrapId: "0000000000000001" }] },
    });
  });

  test("does not run a wrap that asks for absurd memory or time", async () => {
    const fixture = await openKeysFixture("greedy", [first, { password: "x" }]);
    const [name, stored] = [...fixture.objects].find(([, { bytes }]) =>
      Buffer.from(bytes).includes("argon2id"),
    )!;
    const wrap = JSON.parse(Buffer.from(stored.bytes).toString()) as object;
    for (const greedy of [{ memoryKiB: 2 ** 40 }, { passes: 1000 }, { parallelism: 1000 }, { passes: 0 }]) {
      const bytes = Buffer.from(JSON.stringify({ ...wrap, ...greedy }));
      fixture.objects.set(name, { ...stored, bytes });
      expect(await refusalOf(fixture, { password: "x" })).toBe("keys-damaged");
    }
    fixture.objects.set(name, { ...stored, bytes: Buffer.alloc(300 * 1024, " ") });
    expect(await refusalOf(fixture, { password: "x" })).toBe("keys-damaged");
    expect(await refusalOf(fixture, first)).toBeUndefined();
  });

  test("says of a wrap that somebody changed that nothing vouches for it", async () => {
    const fixture = await openKeysFixture("changed", [first, second]);
    const keyring = await keyringOf(fixture, second);
    const [other] = listWraps(keyring).filter(({ isAtHand }) => !isAtHand);
    const stored = fixture.objects.get(wrapName(other!.wrapId))!;
    const text = Buffer.from(stored.bytes).toString().replace('"label":""', '"label":"remove me"');
    fixture.objects.set(wrapName(other!.wrapId), { ...stored, bytes: Buffer.from(text) });
    expect(listWraps(await keyringOf(fixture, second))).toContainEqual(
      expect.objectContaining({ wrapId: other!.wrapId, state: "unproven", label: "remove me" }),
    );
  });

  test("a wrap copied from another repository opens nothing", async () => {
    const fixture = await openKeysFixture("copied", [first]);
    const other = await openKeysFixture("other", [second]);
    for (const [name, object] of other.objects)
      if (name.startsWith("key/")) fixture.objects.set(name, object);
    expect(await refusalOf(fixture, second)).toBe("repository-password-wrong");
  });
});

describe("in a versioned store", () => {
  async function versioned(seed: string) {
    const fixture = await openKeysFixture(seed, [first, second]);
    const store = openVersionedMemoryStore({ clock: fixture.clock, lockMode: "compliance" });
    for (const [key, { bytes }] of fixture.objects) await store.create(key, bytes, call);
    return { ...fixture, store };
  }

  test("keys that somebody has hidden or replaced still open the repository", async () => {
    const fixture = await versioned("hidden");
    for (const key of fixture.store.objects.keys()) {
      if (key === "garrison") fixture.store.overwrite(key, Buffer.from("rubbish"));
      else fixture.store.hide(key);
    }
    expect(await refusalOf(fixture, first)).toBeUndefined();
    const stranger = { masterSecret: random.bytes(32) };
    expect(await refusalOf(fixture, stranger)).toBe("object-malformed");
  });

  test("a removed key leaves no version behind, unless a lock holds it: then it is retired", async () => {
    const fixture = await versioned("versions");
    const keyring = await keyringOf(fixture, first);
    const wrapId = listWraps(keyring).find(({ isAtHand }) => !isAtHand)!.wrapId;
    const untilMs = fixture.clock.now() + 60_000;
    const [held] = fixture.store.objects.get(wrapName(wrapId))!;
    await fixture.store.versions.extendRetention(
      { key: wrapName(wrapId), versionId: held!.versionId },
      untilMs,
      call,
    );
    expect(await removeWrap(fixture, { keyring, wrapId }, call)).toBe("retired");
    expect(await refusalOf(fixture, second)).toBe("key-retired");
    await fixture.clock.advance(61_000);
    expect(await removeWrap(fixture, { keyring, wrapId }, call)).toBe("deleted");
    expect([...fixture.store.objects.keys()].filter((key) => key.includes(wrapId))).toEqual([]);
  });
});

describe("removing a key", () => {
  test("leaves the others", async () => {
    const fixture = await openKeysFixture("remove", [first, second]);
    const keyring = await keyringOf(fixture, first);
    const wrapId = listWraps(keyring).find(({ isAtHand }) => !isAtHand)!.wrapId;
    expect(await removeWrap(fixture, { keyring, wrapId }, call)).toBe("deleted");
    expect(await refusalOf(fixture, second)).toBe("repository-password-wrong");
    expect(await refusalOf(fixture, first)).toBeUndefined();
    expect([...fixture.objects.keys()].filter((key) => key.startsWith("key/"))).toHaveLength(1);
  });

  test("refuses the last one, and an id that is none", async () => {
    const fixture = await openKeysFixture("last", [first]);
    const keyring = await keyringOf(fixture, first);
    const [wrapId] = keyring.openedBy.keys();
    const last = removeWrap(fixture, { keyring, wrapId: wrapId! }, call);
    await expect(last).rejects.toMatchObject({ code: "key-last" });
    const none = removeWrap(fixture, { keyring, wrapId: "00".repeat(8) }, call);
    await expect(none).rejects.toMatchObject({ code: "key-unknown" });
    expect(await refusalOf(fixture, first)).toBeUndefined();
  });

  test("does not take a wrap that nobody vouches for as the one that is left", async () => {
    const fixture = await openKeysFixture("left", [first]);
    const other = await openKeysFixture("left other", [second]);
    for (const [name, object] of other.objects)
      if (name.startsWith("key/")) fixture.objects.set(name, object);
    const keyring = await keyringOf(fixture, first);
    const [wrapId] = keyring.openedBy.keys();
    const removing = removeWrap(fixture, { keyring, wrapId: wrapId! }, call);
    await expect(removing).rejects.toMatchObject({ code: "key-last" });
  });

  test("marks it retired where the store refuses to delete, and then its secret no longer opens", async () => {
    const fixture = await openKeysFixture("locked", [first, second]);
    const store = openFaultyObjectStore(fixture.store, ({ method }) =>
      method === "delete" ? { when: "before", error: locked } : undefined,
    );
    const keyring = await keyringOf(fixture, first);
    const wrapId = listWraps(keyring).find(({ isAtHand }) => !isAtHand)!.wrapId;
    expect(await removeWrap({ ...fixture, store }, { keyring, wrapId }, call)).toBe("retired");
    expect(await refusalOf(fixture, second)).toBe("key-retired");
    const listed = listWraps(await keyringOf(fixture, first));
    expect(listed).toContainEqual(expect.objectContaining({ wrapId, state: "retired" }));
    // Once the lock has ended it goes.
    expect(await removeWrap(fixture, { keyring, wrapId }, call)).toBe("deleted");
  });

  test("a mark that no holder of the keys made retires nothing, and marks alone lock nobody out", async () => {
    const fixture = await openKeysFixture("marks", [first, second]);
    const keyring = await keyringOf(fixture, first);
    for (const { wrapId } of listWraps(keyring)) {
      await fixture.store.create(retiredName(wrapId), Buffer.from('{"retiredAtMs":1,"mac":"x"}'), call);
    }
    expect(await refusalOf(fixture, first)).toBeUndefined();
    expect(await refusalOf(fixture, second)).toBeUndefined();
  });

  test("of two people who each remove one of the last two keys at the same time, at most one succeeds", async () => {
    for (let delay = 1; delay <= 12; delay++) {
      const fixture = await openKeysFixture(`race ${delay}`, [first, second]);
      const keyring = await keyringOf(fixture, first);
      const [one, two] = listWraps(keyring).map(({ wrapId }) => wrapId) as [string, string];
      let other: Promise<unknown> | undefined;
      const remove = (store: typeof fixture.store, wrapId: string) =>
        removeWrap({ ...fixture, store }, { keyring, wrapId }, call).catch((error: unknown) => error);
      const racing = {
        ...fixture.store,
        create: async (...args: Parameters<typeof fixture.store.create>) => {
          const outcome = await fixture.store.create(...args);
          if (delay % 2 === 0) await (other ??= remove(fixture.store, two));
          return outcome;
        },
        delete: async (...args: Parameters<typeof fixture.store.delete>) => {
          if (delay % 2 === 1) await (other ??= remove(fixture.store, two));
          await fixture.store.delete(...args);
        },
      };
      const outcomes = [await remove(racing, one), await other];
      expect(outcomes.filter((outcome) => outcome === "deleted").length).toBeLessThanOrEqual(1);
      const refusals = [await refusalOf(fixture, first), await refusalOf(fixture, second)];
      expect(refusals).toContain(undefined);
    }
  });
});

describe("changing a password", () => {
  test("lets only the new one open, and leaves other keys alone", async () => {
    const fixture = await openKeysFixture("change", [{ password: "old" }, third]);
    const keyring = await keyringOf(fixture, { password: "old" });
    const changed = await changeSecret(fixture, { keyring, secret: { password: "new" } }, call);
    expect(changed.removed).toEqual([{ wrapId: [...keyring.openedBy.keys()][0], outcome: "deleted" }]);
    expect(await refusalOf(fixture, { password: "old" })).toBe("repository-password-wrong");
    expect(await refusalOf(fixture, { password: "new" })).toBeUndefined();
    expect(await refusalOf(fixture, third)).toBeUndefined();
  });

  test("interrupted at any call leaves a repository that the old or the new secret opens", async () => {
    const deaths = await killAtEachCall(
      () => openKeysFixture("killed", [first]),
      async (fixture) => {
        const keyring = await openKeyring(fixture, { secrets: [first], every: true }, call);
        return changeSecret(fixture, { keyring, secret: second }, call);
      },
      async (fixture, result) => {
        const refusals = [await refusalOf(fixture, first), await refusalOf(fixture, second)];
        expect(refusals).toContain(undefined);
        if (result !== undefined) expect(refusals).toEqual(["repository-password-wrong", undefined]);
        // Whichever opens, the change can be made again, and then only the new one does.
        const secret = refusals[0] === undefined ? first : second;
        const keyring = await keyringOf(fixture, secret);
        await changeSecret(fixture, { keyring, secret: third }, call);
        expect(await refusalOf(fixture, third)).toBeUndefined();
        expect(await refusalOf(fixture, secret)).toBeDefined();
      },
    );
    expect(deaths).toBeGreaterThan(20);
  });
});
