import { expect, test } from "vitest";
import { call, fixtureDomain, openFixture, type Fixture } from "../simulation/engine-fixture.ts";
import { listNotes, writeNote } from "./notes.ts";

const keeperOf = (fixture: Fixture) => ({
  ...fixture,
  controlPrivateKey: fixture.repository.controlPrivateKey(fixtureDomain),
});

async function numbersOf(fixture: Fixture): Promise<number[]> {
  const numbers = [];
  for await (const note of listNotes(fixture, "audit", call)) numbers.push(note.fields.count("number"));
  return numbers;
}

test("notes of a kind come back in the order of their making", async () => {
  const fixture = openFixture("notes");
  for (const number of [3, 1, 2]) {
    await fixture.clock.advance(1000);
    await writeNote(keeperOf(fixture), { kind: "audit", body: { number } }, call);
  }
  await writeNote(keeperOf(fixture), { kind: "verified", body: { number: 9 } }, call);
  expect(await numbersOf(fixture)).toEqual([3, 1, 2]);
});

test("a note that another hand signed, or that is damaged, is left aside", async () => {
  const fixture = openFixture("foreign notes");
  const stranger = openFixture("stranger").repository.controlPrivateKey(fixtureDomain);
  await writeNote({ ...fixture, controlPrivateKey: stranger }, { kind: "audit", body: { number: 1 } }, call);
  await fixture.clock.advance(1000);
  await writeNote(keeperOf(fixture), { kind: "audit", body: { number: 2 } }, call);
  await fixture.clock.advance(1000);
  await writeNote(keeperOf(fixture), { kind: "audit", body: { number: 3 } }, call);
  const last = [...fixture.objects.keys()]
    .filter((key) => key.includes("/note/"))
    .toSorted()
    .at(-1)!;
  fixture.objects.get(last)!.bytes[60]! ^= 1;
  expect(await numbersOf(fixture)).toEqual([2]);
});
