import { seededRandom } from "@garrison/core/random";
import { expect, test } from "vitest";
import { openSecretBox } from "./secret-box.ts";

const random = seededRandom("secrets");
const box = openSecretBox(random.bytes(32), random);

test("what was sealed opens again", () => {
  expect(box.open(box.seal("a password", "repository 1"), "repository 1")).toBe("a password");
});

test("the same text is sealed differently each time", () => {
  expect(box.seal("same", "p")).not.toBe(box.seal("same", "p"));
});

test.each([
  ["for another purpose", (sealed: string) => box.open(sealed, "repository 2")],
  [
    "with another key",
    (sealed: string) => openSecretBox(random.bytes(32), random).open(sealed, "repository 1"),
  ],
  ["when a bit of it was changed", (sealed: string) => box.open(flip(sealed), "repository 1")],
  ["when it was cut", (sealed: string) => box.open(sealed.slice(0, 20), "repository 1")],
])("a sealed text does not open %s", (_, open) => {
  expect(() => open(box.seal("a password", "repository 1"))).toThrow(
    expect.objectContaining({ code: "secret-unreadable" }),
  );
});

function flip(sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  bytes[bytes.length - 1]! ^= 1;
  return bytes.toString("base64");
}
