import { expect, test } from "vitest";
import { seededRandom } from "@garrison/core/random";
import { epochSlotName, retiredName } from "../format/key-marks.ts";
import { wrapName } from "../format/key-wrap.ts";
import { openRepository } from "../keys/open-repository.ts";
import { planRotation } from "../keys/plan-rotation.ts";
import { rotateKeys } from "../keys/rotate-keys.ts";
import { call } from "../simulation/engine-fixture.ts";
import { keyringOf, openKeysFixture } from "../simulation/keys-fixture.ts";
import { checkKeys } from "./check-keys.ts";
import type { Finding } from "./check-plan.ts";

const random = seededRandom("check keys");
const [first, second] = [{ masterSecret: random.bytes(32) }, { masterSecret: random.bytes(32) }] as const;

/** A repository in its second epoch that two secrets open, and a way to check it after something was done to it. */
async function rotated(seed: string) {
  const fixture = await openKeysFixture(seed, [first, second]);
  const keyring = await keyringOf(fixture, first, second);
  const rotation = { keyring, plan: planRotation(keyring), secrets: [first, second] };
  const { written } = await rotateKeys(fixture, rotation, call);
  const repository = await openRepository(fixture, first, call);
  const check = async () => {
    const found: Finding[] = [];
    for await (const finding of checkKeys({ ...fixture, repository }, call)) found.push(finding);
    return found.map(({ severity, code, key }) => `${severity} ${code} ${key}`);
  };
  return { ...fixture, written: written as [string, string], check };
}

test("the keys of a sound repository give no finding", async () => {
  expect(await (await rotated("sound")).check()).toEqual([]);
});

test("each thing that is wrong with header, wraps, marks and slots is named", async () => {
  const { objects, store, written, check } = await rotated("wrong");
  const wrap = wrapName(written[1]);
  const whole = objects.get(wrap)!;
  objects.set(wrap, { ...whole, bytes: whole.bytes.subarray(0, -10) });
  expect(await check()).toEqual([`damage keys-damaged ${wrap}`]);
  const text = Buffer.from(whole.bytes).toString().replace('"label":""', '"label":"x"');
  objects.set(wrap, { ...whole, bytes: Buffer.from(text) });
  expect(await check()).toEqual([`notice key-unproven ${wrap}`]);
  objects.set(wrap, whole);
  await store.create(retiredName(written[1]), Buffer.from("{}"), call);
  await store.create("key/README", Buffer.from("x"), call);
  objects.delete(epochSlotName(2));
  objects.delete("garrison");
  expect((await check()).sort()).toEqual(
    [
      "damage repository-missing garrison",
      `notice foreign-object key/README`,
      `notice foreign-object ${epochSlotName(2)}`,
      `notice foreign-object ${retiredName(written[1])}`,
    ].sort(),
  );
});

test("a repository that no key surely opens is called damaged while somebody still has it open", async () => {
  const { objects, check } = await rotated("none");
  for (const key of objects.keys()) if (/^key\/[0-9a-f]{16}$/.test(key)) objects.delete(key);
  expect(await check()).toEqual(["damage keys-damaged key/"]);
});
