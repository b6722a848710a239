import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { seededRandom } from "@garrison/core/random";
import { epochSlotName } from "../format/key-marks.ts";
import { call } from "../simulation/engine-fixture.ts";
import {
  keyringOf,
  killAtEachCall,
  openKeysFixture,
  refusalOf,
  type KeysFixture,
} from "../simulation/keys-fixture.ts";
import { openMemoryKeyWrapper } from "../simulation/memory-key-wrapper.ts";
import { addWrap } from "./add-wrap.ts";
import { listWraps } from "./list-wraps.ts";
import { openRepository } from "./open-repository.ts";
import { planRotation } from "./plan-rotation.ts";
import type { RepositorySecret } from "./repository-secret.ts";
import { requireCurrentKeys } from "./require-current-keys.ts";
import { rotateKeys } from "./rotate-keys.ts";

const random = seededRandom("rotate keys");
const [first, second] = [1, 2].map(() => ({ masterSecret: random.bytes(32) })) as [
  { masterSecret: Uint8Array },
  { masterSecret: Uint8Array },
];

async function rotate(
  fixture: KeysFixture,
  secrets: readonly RepositorySecret[],
  drop: readonly string[] = [],
) {
  const keyring = await keyringOf(fixture, ...secrets);
  const plan = planRotation(keyring, { drop });
  return rotateKeys(fixture, { keyring, plan, secrets }, call);
}

const open = (fixture: KeysFixture, secret: RepositorySecret) => openRepository(fixture, secret, call);

describe("a rotation of the keys", () => {
  test("adds an epoch that all secrets at hand open, and keeps what was", async () => {
    const fixture = await openKeysFixture("rotate", [first, second]);
    const done = await rotate(fixture, [first, second]);
    expect(done).toMatchObject({ epoch: 2, outdated: [] });
    expect(done.removed.map(({ outcome }) => outcome)).toEqual(["deleted", "deleted"]);
    const [one, two] = [await open(fixture, first), await open(fixture, second)];
    expect(one.epoch).toBe(2);
    expect(two.domainKeys("local")).toEqual(one.domainKeys("local"));
    const [before, after] = [fixture.repository.domainKeys("local"), one.domainKeys("local")];
    expect(after.epochs[0]).toEqual(before.epochs[0]);
    expect(after.idKey).toEqual(before.idKey);
    expect(after.mapKey).not.toEqual(before.mapKey);
  });

  test("can be made again and again", async () => {
    const fixture = await openKeysFixture("again", [first]);
    for (let epoch = 2; epoch <= 5; epoch++) expect(await rotate(fixture, [first])).toMatchObject({ epoch });
    expect((await open(fixture, first)).domainKeys("local").epochs).toHaveLength(5);
    expect(listWraps(await keyringOf(fixture, first))).toHaveLength(1);
  });

  test("names the keys whose secrets are not at hand, and does nothing without a word about each", async () => {
    const fixture = await openKeysFixture("missing", [first, second]);
    const keyring = await keyringOf(fixture, first);
    const other = listWraps(keyring).find(({ isAtHand }) => !isAtHand)!.wrapId;
    const before = [...fixture.objects.keys()];
    await expect(rotate(fixture, [first])).rejects.toMatchObject({
      code: "keys-not-at-hand",
      details: { missing: [other] },
    });
    expect([...fixture.objects.keys()]).toEqual(before);
    await expect(rotate(fixture, [first], ["00".repeat(8)])).rejects.toMatchObject({ code: "key-unknown" });
    await rotate(fixture, [first], [other]);
    expect((await open(fixture, first)).epoch).toBe(2);
    expect(await refusalOf(fixture, second)).toBe("repository-password-wrong");
  });

  test("wraps under each KMS key anew with that key", async () => {
    const keys = new Map([1, 2].map((number) => [`arn:key/${number}`, random.bytes(32)]));
    const kms = openMemoryKeyWrapper(random, keys);
    const secrets = [...keys.keys()].map((keyId) => ({ kms, keyId }));
    const fixture = await openKeysFixture("kms", secrets);
    await rotate(fixture, [{ kms }]);
    const listed = listWraps(await keyringOf(fixture, { kms }));
    expect(listed.map(({ keyId, epochs }) => `${keyId} ${epochs}`).sort()).toEqual([
      "arn:key/1 2",
      "arn:key/2 2",
    ]);
    // One key that may be used is enough; with none the service's own refusal is told.
    keys.delete("arn:key/1");
    expect(await refusalOf(fixture, { kms })).toBeUndefined();
    keys.delete("arn:key/2");
    expect(await refusalOf(fixture, { kms })).toBe("aws-access-denied");
  });

  test("of two made at the same time only one counts, and the other takes its wraps back", async () => {
    const fixture = await openKeysFixture("race", [first, second]);
    const keyring = await keyringOf(fixture, first, second);
    const plan = planRotation(keyring);
    let winner: Promise<unknown> | undefined;
    const racing = {
      ...fixture.store,
      create: async (...args: Parameters<typeof fixture.store.create>) => {
        if (args[0] === epochSlotName(2)) await (winner ??= rotate(fixture, [first, second]));
        return fixture.store.create(...args);
      },
    };
    const secrets = [first, second];
    const loser = rotateKeys({ ...fixture, store: racing }, { keyring, plan, secrets }, call);
    await expect(loser).rejects.toMatchObject({ code: "keys-conflict" });
    expect(await winner).toMatchObject({ epoch: 2 });
    expect((await open(fixture, first)).domainKeys("a")).toEqual(
      (await open(fixture, second)).domainKeys("a"),
    );
    expect(listWraps(await keyringOf(fixture, first)).map(({ state }) => state)).toEqual([
      "current",
      "current",
    ]);
  });

  test.each(["delete", "create"] as const)(
    "finished by two at the same time is finished (one is overtaken when it wants to %s)",
    async (overtakenAt) => {
      const fixture = await openKeysFixture("finished twice", [first, second]);
      const keyring = await keyringOf(fixture, first, second);
      const secrets = [first, second];
      const rotation = { keyring, plan: planRotation(keyring), secrets };
      const death = new GarrisonError("aborted", "the program was killed");
      const dying = { ...fixture.store, delete: () => Promise.reject(death) };
      await expect(rotateKeys({ ...fixture, store: dying }, rotation, call)).rejects.toBe(death);
      const unfinished = await keyringOf(fixture, first, second);
      const finishing = { keyring: unfinished, plan: planRotation(unfinished), secrets };
      expect(finishing.plan).toMatchObject({ kind: "finish", epoch: 2 });
      let quicker: Promise<unknown> | undefined;
      const overtake = () => (quicker ??= rotateKeys(fixture, finishing, call));
      const racing = {
        ...fixture.store,
        create: async (...args: Parameters<typeof fixture.store.create>) => {
          const outcome = await fixture.store.create(...args);
          // The mark is there already, and gone when it is read.
          if (overtakenAt === "create" && outcome === "exists") await overtake();
          return outcome;
        },
        delete: async (...args: Parameters<typeof fixture.store.delete>) => {
          if (overtakenAt === "delete") await overtake();
          return fixture.store.delete(...args);
        },
      };
      const slower = await rotateKeys({ ...fixture, store: racing }, finishing, call);
      expect(slower).toMatchObject({ epoch: 2, outdated: [] });
      expect(await quicker).toMatchObject({ epoch: 2, outdated: [] });
      expect(listWraps(await keyringOf(fixture, first, second))).toHaveLength(2);
    },
  );

  test("that was overtaken and died leaves a wrap behind that keeps nobody from the keys that count", async () => {
    const fixture = await openKeysFixture("overtaken", [first]);
    const keyring = await keyringOf(fixture, first);
    const death = new GarrisonError("aborted", "the program was killed");
    let winner: Promise<unknown> | undefined;
    const dying = {
      ...fixture.store,
      create: async (...args: Parameters<typeof fixture.store.create>) => {
        await (winner ??= rotate(fixture, [first]));
        await fixture.clock.advance(1000);
        return fixture.store.create(...args);
      },
      delete: () => Promise.reject(death),
    };
    const rotation = { keyring, plan: planRotation(keyring), secrets: [first] };
    await expect(rotateKeys({ ...fixture, store: dying }, rotation, call)).rejects.toBe(death);
    expect(listWraps(await keyringOf(fixture, first))).toHaveLength(2);
    expect(await open(fixture, first)).toMatchObject({ epoch: 2, newestEpoch: 2 });
    await rotate(fixture, [first]);
    expect(listWraps(await keyringOf(fixture, first))).toHaveLength(1);
  });

  test("a secret that was added while it went on is named, opens the past only, and may not write", async () => {
    const fixture = await openKeysFixture("meanwhile", [first]);
    const keyring = await keyringOf(fixture, first);
    let added: Promise<string> | undefined;
    const racing = {
      ...fixture.store,
      create: async (...args: Parameters<typeof fixture.store.create>) => {
        if (args[0] === epochSlotName(2))
          await (added ??= addWrap(fixture, { keyring, secret: second }, call));
        return fixture.store.create(...args);
      },
    };
    const rotation = { keyring, plan: planRotation(keyring), secrets: [first] };
    const done = await rotateKeys({ ...fixture, store: racing }, rotation, call);
    expect(done.outdated).toMatchObject([{ wrapId: await added, state: "outdated" }]);
    const outdated = await open(fixture, second);
    expect(outdated).toMatchObject({ epoch: 1, newestEpoch: 2 });
    expect(() => requireCurrentKeys(outdated)).toThrow(expect.objectContaining({ code: "keys-outdated" }));
    expect(() => requireCurrentKeys(fixture.repository)).not.toThrow();
    // The next rotation finishes this one and adds no epoch.
    expect(await rotate(fixture, [first, second])).toMatchObject({ epoch: 2, outdated: [] });
    expect((await open(fixture, second)).epoch).toBe(2);
  });

  test("keys that were rotated away can't be added to", async () => {
    const fixture = await openKeysFixture("stale keyring", [first]);
    const keyring = await keyringOf(fixture, first);
    await rotate(fixture, [first]);
    const adding = addWrap(fixture, { keyring, secret: second }, call);
    await expect(adding).rejects.toMatchObject({ code: "keys-conflict" });
    expect(await refusalOf(fixture, second)).toBe("repository-password-wrong");
  });

  test("interrupted at any call leaves all secrets able to open, and the next one finishes it", async () => {
    const deaths = await killAtEachCall(
      () => openKeysFixture("killed", [first, second]),
      (fixture) => rotate(fixture, [first, second]),
      async (fixture, result) => {
        const opened = [await open(fixture, first), await open(fixture, second)];
        for (const repository of opened) {
          const [was] = fixture.repository.domainKeys("local").epochs;
          expect(repository.domainKeys("local").epochs[0]).toEqual(was);
        }
        expect(opened[0]!.domainKeys("a").epochs.slice(0, opened[1]!.epoch)).toEqual(
          opened[1]!.domainKeys("a").epochs.slice(0, opened[0]!.epoch),
        );
        if (result !== undefined) expect(opened.map(({ epoch }) => epoch)).toEqual([2, 2]);
        const again = await rotate(fixture, [first, second]);
        expect(again.epoch).toBeLessThanOrEqual(3);
        const keyring = await keyringOf(fixture, first, second);
        expect(listWraps(keyring).map(({ state }) => state)).toEqual(["current", "current"]);
        expect(keyring.masterKeys).toHaveLength(again.epoch);
      },
    );
    expect(deaths).toBeGreaterThan(40);
  });

  test("the epoch still counts when its slot is lost, as no wrap of before is left", async () => {
    const fixture = await openKeysFixture("slot", [first]);
    await rotate(fixture, [first]);
    fixture.objects.delete(epochSlotName(2));
    expect((await open(fixture, first)).epoch).toBe(2);
  });
});
