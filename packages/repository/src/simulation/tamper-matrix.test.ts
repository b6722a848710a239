import { describe, expect, test } from "vitest";
import { checkKeys } from "../check/check-keys.ts";
import type { Finding } from "../check/check-plan.ts";
import { parseKeyName } from "../format/key-marks.ts";
import { packName, parseForwardName, parsePackName, parseSlotName } from "../format/object-names.ts";
import { listPoints } from "../point/list-points.ts";
import { openFaultyObjectStore } from "../store/faulty-object-store.ts";
import { runCheck } from "./damage.ts";
import { call, fixtureDomain } from "./engine-fixture.ts";
import { olderVersions } from "./older-versions.ts";
import { rememberBlocks } from "./remembering-crew.ts";
import { restoreSample } from "./restore-sample.ts";
import { buildSampleRepository, type SampleRepository } from "./sample-repository.ts";
import { tamperExpectations, type TamperExpectation } from "./tamper-expectations.ts";
import { listTamperings, namesByKind, tamper, type Changes, type Tampering } from "./tamper-objects.ts";

/**
 * Every kind of object, spoilt in every way: a full check names it, and a restore of each point gives the right bytes or
 * a named error, never wrong bytes.
 */
const secrets = [{ masterSecret: new Uint8Array(32).fill(3) }, { masterSecret: new Uint8Array(32).fill(4) }];
const openCrew = rememberBlocks();
const sample = await buildSampleRepository("tamper", secrets);
const twin = await buildSampleRepository("tamper", secrets, "other contents");
const older = olderVersions(sample, { twin, masterSecret: secrets[0]!.masterSecret });
const kinds = namesByKind(sample);

const restoreAll = (spoilt: SampleRepository) => restoreSample(spoilt, { secrets, openCrew });

async function findAll({ fixture }: SampleRepository): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for await (const finding of checkKeys(fixture, call)) found.push(finding);
  const check = await runCheck(fixture, { level: "full", remembers: true, openCrew });
  return [...found, ...check.findings];
}

/** What restores of the whole sample read: nothing else that is changed can make a difference to them. */
async function namesRead(): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const store = openFaultyObjectStore(sample.fixture.store, ({ method, key }) => {
    if (method === "read") names.add(key);
    return undefined;
  });
  await restoreAll({ ...sample, fixture: { ...sample.fixture, store } });
  return names;
}
const read = await namesRead();

/** By its key; what is gone or authentic, by what it was needed for. */
function isNamed(findings: readonly Finding[], { how, name }: Tampering): boolean {
  if (findings.some(({ key }) => key === name)) return true;
  if (how === "changed") return false;
  const slot = parseSlotName(name);
  if (slot !== undefined) {
    const isGap = ({ code, key }: Finding) => code === "point-vanished" && key.includes(slot.series);
    return findings.some((finding) => isGap(finding) || finding.key.includes(`/map/${slot.session}/`));
  }
  const forward = parseForwardName(name);
  const origin = forward === undefined ? undefined : packName(fixtureDomain, forward.kind, forward.origin);
  return findings.some(({ key }) => key === origin);
}

/** Of an object of a kind; of what restores need, also of one from the middle. */
function casesOf(kind: string, names: readonly string[]): readonly Tampering[] {
  const named = (name: string) => ({ name, bytes: sample.fixture.objects.get(name)!.bytes });
  const foreign = named([...kinds].find(([each]) => each !== kind && each !== "header")![1][0]!);
  const middle = tamperExpectations[kind]!.isIdle ? 0 : names.length >> 1;
  const withOlder = names.find((name) => older.has(name)) ?? names[0]!;
  return [...new Set([withOlder, names[middle]!])].flatMap((name) => {
    const otherName = names.find((each) => each !== name);
    const other = otherName === undefined ? undefined : named(otherName);
    return [...listTamperings({ ...named(name), other, foreign, older: older.get(name) })];
  });
}

/** Whether only the digits of a time are others. */
function isOfTime({ name, changes }: Tampering): boolean {
  const withoutTime = (bytes: Uint8Array | undefined) =>
    Buffer.from(bytes ?? [])
      .toString("latin1")
      .replace(/AtMs":\d+/, "");
  return withoutTime(changes.get(name)) === withoutTime(sample.fixture.objects.get(name)?.bytes);
}

async function see(tampering: Tampering, expected: TamperExpectation): Promise<readonly string[]> {
  const { how, what, name, changes } = tampering;
  const spoilt = tamper(sample, changes);
  const wrong = [...(await seeRestores(spoilt, { how, changes, expected }))];
  const findings = await findAll(spoilt);
  const shouldName = expected[how] === "named" && !(expected.isOpen === true && isOfTime(tampering));
  if (isNamed(findings, tampering) !== shouldName) {
    const found = findings.map(({ code, key, message }) => `${code} ${key}: ${message}`);
    wrong.push(`a check finds:\n  ${found.join("\n  ")}`);
  }
  return wrong.map((each) => `${name}, ${what}: ${each}`);
}

async function seeRestores(
  spoilt: SampleRepository,
  tampered: {
    readonly how: Tampering["how"];
    readonly changes: Changes;
    readonly expected: TamperExpectation;
  },
): Promise<readonly string[]> {
  const { how, changes, expected } = tampered;
  await listPoints(spoilt.fixture, {}, call);
  if (how !== "deleted" && ![...changes.keys()].some((name) => read.has(name))) return [];
  const outcomes = await restoreAll(spoilt);
  const isBad = (outcome: string) => outcome === "WRONG BYTES" || (expected.isIdle && outcome !== "right");
  return outcomes.some(isBad) ? [`restores end with ${outcomes.join()}`] : [];
}

test("the sample holds every kind of object, and nothing is wrong with it", async () => {
  expect([...kinds.keys()].sort()).toEqual(Object.keys(tamperExpectations).sort());
  const copy = tamper(sample, new Map()); // a check leaves notes
  expect(await findAll(copy)).toEqual([]);
  expect(await restoreAll(copy)).toEqual(sample.points.map(() => "right"));
});

describe.each([...kinds])("of an object of the kind: %s", (kind, names) => {
  test("no tampering gives wrong bytes, and a full check names it or can't know", async () => {
    const wrong: string[] = [];
    const cases = casesOf(kind, names);
    for (const tampering of cases) wrong.push(...(await see(tampering, tamperExpectations[kind]!)));
    expect(wrong).toEqual([]);
    expect(cases.length).toBeGreaterThanOrEqual(11);
    expect(cases.some(({ how }) => how === "older")).toBe("older" in tamperExpectations[kind]!);
  });
});

describe("when what was deleted is put back", () => {
  const former = (isWanted: (name: string) => boolean): Changes =>
    new Map([...sample.former].filter(([name]) => isWanted(name)).map(([name, { bytes }]) => [name, bytes]));
  const isWrap = (name: string) => parseKeyName(name)?.kind === "wrap";

  test("keys of before a rotation are named, and open nothing that they did not open before", async () => {
    const old = former(isWrap);
    expect(old.size).toBe(2);
    const spoilt = tamper(sample, old);
    const findings = await findAll(spoilt);
    expect(findings.map(({ code, key }) => `${code} ${key}`).sort()).toEqual(
      [...old.keys()].map((name) => `key-outdated ${name}`).sort(),
    );
    expect(await restoreAll(spoilt)).toEqual(sample.points.map(() => "right"));
  });

  test("the keys altogether as they were: what is newer says so, and whoever has the new keys sees it", async () => {
    const newer = (kinds.get("wrap") ?? []).concat(kinds.get("epoch slot") ?? []);
    const gone = new Map(newer.map((name) => [name, undefined]));
    const spoilt = tamper(sample, new Map([...gone, ...former(isWrap)]));
    // The first two need packs that were moved since, and only newer keys tell where to.
    const outcomes = ["keys-outdated", "keys-outdated", "right", "keys-outdated", "keys-outdated"];
    expect(await restoreAll(spoilt)).toEqual(outcomes);
    const codes = (await findAll(spoilt)).map(({ code }) => code);
    expect(codes).toContain("key-outdated");
    expect(codes).toContain("keys-damaged");
  });

  test("packs that were moved are used as they are, and nothing is wrong", async () => {
    const packs = former((name) => parsePackName(name) !== undefined);
    expect(packs.size).toBe(2);
    const spoilt = tamper(sample, packs);
    expect(await restoreAll(spoilt)).toEqual(sample.points.map(() => "right"));
    expect(await findAll(spoilt)).toEqual([]);
  });
});
