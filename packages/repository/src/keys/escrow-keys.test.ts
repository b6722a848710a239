import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "@garrison/core/random";
import { formatLines, parseLines } from "../format/line-code.ts";
import { wrapName } from "../format/key-wrap.ts";
import { call } from "../simulation/engine-fixture.ts";
import { keyringOf, openKeysFixture, refusalOf } from "../simulation/keys-fixture.ts";
import { changeSecret } from "./add-wrap.ts";
import { exportEscrow, importEscrow } from "./escrow-keys.ts";
import { parseEscrowSheet } from "./escrow-sheet.ts";
import { repositoryOf } from "./open-repository.ts";

const random = seededRandom("escrow");
const secret = { masterSecret: random.bytes(32) };
const another = { masterSecret: random.bytes(32) };

async function exported(seed: string) {
  const fixture = await openKeysFixture(seed, [secret]);
  const keyring = await keyringOf(fixture, secret);
  return { fixture, ...(await exportEscrow(fixture, { keyring, label: "the safe" }, call)) };
}
const withoutPart2 = (text: string) => text.slice(0, text.indexOf("Part 2"));

describe("an escrow sheet", () => {
  test("opens the repository with its first part alone, and a new secret can be set", async () => {
    const { fixture, text } = await exported("opens");
    const keyring = await importEscrow(fixture, parseEscrowSheet(withoutPart2(text)), call);
    expect(repositoryOf(keyring).domainKeys("local")).toEqual(fixture.repository.domainKeys("local"));
    await changeSecret(fixture, { keyring, secret: another }, call);
    expect(await refusalOf(fixture, another)).toBeUndefined();
  });

  test("brings back a repository whose key objects and header are lost", async () => {
    const { fixture, wrapId, text } = await exported("lost");
    fixture.objects.clear();
    const half = importEscrow(fixture, parseEscrowSheet(withoutPart2(text)), call);
    await expect(half).rejects.toMatchObject({ code: "repository-missing" });
    const keyring = await importEscrow(fixture, parseEscrowSheet(text), call);
    expect(repositoryOf(keyring).domainKeys("local")).toEqual(fixture.repository.domainKeys("local"));
    expect([...fixture.objects.keys()].sort()).toEqual(["garrison", wrapName(wrapId)]);
  });

  test("of another repository, or with halves of two sheets, is refused", async () => {
    const [one, two] = [await exported("one"), await exported("two")];
    await expect(importEscrow(one.fixture, parseEscrowSheet(two.text), call)).rejects.toMatchObject({
      code: "usage",
    });
    const mixed = withoutPart2(one.text) + two.text.slice(two.text.indexOf("Part 2"));
    expect(() => parseEscrowSheet(mixed)).toThrow(expect.objectContaining({ code: "escrow-unreadable" }));
  });

  test("that was removed no longer opens anything with its first part", async () => {
    const { fixture, wrapId, text } = await exported("removed");
    fixture.objects.delete(wrapName(wrapId));
    const opening = importEscrow(fixture, parseEscrowSheet(withoutPart2(text)), call);
    await expect(opening).rejects.toMatchObject({ code: "key-unknown" });
  });

  test("may be typed in lower case, with other spaces, and with letters that look like digits", async () => {
    const { text } = await exported("typed");
    const typed = text
      .split("\n")
      .map((line) =>
        /^\d-/.test(line) ? line.toLowerCase().replaceAll("0", "o").replaceAll(/ +/g, "  ") : line,
      )
      .map((line) => line.replace(/^(\d)-o/, "$1-0"))
      .join("\r\n");
    expect(parseEscrowSheet(typed)).toEqual(parseEscrowSheet(text));
  });
});

describe("the lines of a sheet", () => {
  const contents = fc.uint8Array({ minLength: 1, maxLength: 120 });
  test("give back the bytes", () => {
    fc.assert(
      fc.property(contents, fc.integer({ min: 1, max: 9 }), (bytes, part) => {
        expect(parseLines(part, formatLines(part, bytes).join("\n"))).toEqual(Buffer.from(bytes));
      }),
    );
  });
  test("find every wrong character and every two that changed places, and name the line", () => {
    const places = fc.record({ lineAt: fc.nat(), at: fc.nat(), wrong: fc.nat(31) });
    const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    fc.assert(
      fc.property(contents, places, (bytes, { lineAt, at, wrong }) => {
        const lines = [...formatLines(1, bytes)];
        const index = lineAt % lines.length;
        const line = lines[index]!;
        const code = line.slice(6).split("");
        const filled = code.flatMap((character, place) => (character === " " ? [] : [place]));
        const place = filled[at % filled.length]!;
        const next = filled[(at + 1) % filled.length]!;
        const replaced = code.with(place, alphabet[wrong]!);
        const swapped = code.with(place, code[next]!).with(next, code[place]!);
        for (const changed of [replaced, swapped]) {
          if (changed.join("") === code.join("")) continue;
          const text = lines.with(index, line.slice(0, 6) + changed.join("")).join("\n");
          expect(() => parseLines(1, text)).toThrow(
            expect.objectContaining({
              code: "escrow-unreadable",
              message: expect.stringContaining(`1-${String(index + 1).padStart(2, "0")}`),
            }),
          );
        }
      }),
    );
  });
  test("miss no line that is missing, doubled or out of place", () => {
    const lines = [...formatLines(1, random.bytes(60))];
    const spoilt = [lines.slice(1), lines.slice(0, -1), lines.toReversed(), [lines[0]!, ...lines]];
    for (const text of spoilt) expect(() => parseLines(1, text.join("\n"))).toThrow();
    expect(parseLines(2, lines.join("\n"))).toBeUndefined();
  });
});
