import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { decodeInterior, emptyInterior, encodeInterior, streamBytesBelow } from "./interior-page.ts";
import { decodeLeaf, emptyLeaf, encodeLeaf, streamBytesOf, type Leaf } from "./leaf-page.ts";
import { decodeOpen, encodeOpen, type SessionOpen } from "./session-objects.ts";

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString("hex"));
const u32 = fc.nat(2 ** 32 - 1);
const item = {
  id: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  session: hex(8),
  lane: hex(4),
  pack: u32,
  offset: u32,
};
const chunk = fc.record({
  ...item,
  length: u32,
  codec: fc.constantFrom(0 as const, 1 as const),
  plainBytes: fc.integer({ min: 1, max: 4 * 1024 * 1024 }).filter((bytes) => bytes !== 524_288),
});
const child = fc.record({
  ...item,
  length: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  count: fc.integer({ min: 1, max: 512 }),
  plainBytes: fc.integer({ min: 1, max: 2 ** 40 }),
});
const filled = <Entry>(entries: readonly Entry[], empty: (Entry | undefined)[]) => [
  ...entries,
  ...empty.slice(entries.length),
];
const leaf = fc
  .array(chunk, { minLength: 1, maxLength: 20 })
  .map((entries): Leaf => filled(entries, emptyLeaf()));
const interior = fc.array(child, { maxLength: 20 }).map((entries) => filled(entries, emptyInterior()));

function expectNamed(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(GarrisonError);
    expect((error as GarrisonError).code).toBe("object-malformed");
  }
}

describe("a page of a stream", () => {
  test("decodes what it encoded, with the length of each chunk and child", () => {
    fc.assert(
      fc.property(leaf, interior, (entries, children) => {
        expect(decodeLeaf(encodeLeaf(entries, "stream"), "leaf", "stream")).toEqual(entries);
        for (const level of [1, 2] as const) {
          const bytes = encodeInterior(level, children, "stream");
          expect(decodeInterior({ level, kind: "stream" }, bytes, "page")).toEqual(children);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("is not taken for one of an image, nor the other way round", () => {
    fc.assert(
      fc.property(leaf, interior, (entries, children) => {
        expect(() => decodeLeaf(encodeLeaf(entries, "stream"), "leaf")).toThrow("the level is 16, not 0");
        expect(() => decodeLeaf(encodeLeaf(entries), "leaf", "stream")).toThrow("the level is 0, not 16");
        expect(() => decodeInterior(1, encodeInterior(1, children, "stream"), "page")).toThrow(
          "the level is 17, not 1",
        );
      }),
      { numRuns: 10 },
    );
  });

  test("that was cut or changed ends in a value or a named error", () => {
    fc.assert(
      fc.property(
        fc.tuple(leaf, interior),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        ([entries, children], at, mask) => {
          for (const [bytes, decode] of [
            [encodeLeaf(entries, "stream"), (read: Uint8Array) => decodeLeaf(read, "leaf", "stream")],
            [
              encodeInterior(1, children, "stream"),
              (read: Uint8Array) => decodeInterior({ level: 1, kind: "stream" }, read, "page"),
            ],
          ] as const) {
            const copy = new Uint8Array(bytes);
            expectNamed(() => decode(copy.subarray(0, at % copy.length)));
            copy[at % copy.length]! ^= mask;
            expectNamed(() => decode(copy));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test("with an empty or too large chunk, or a child of no bytes, is refused", () => {
    const entry = {
      id: new Uint8Array(32),
      session: "00".repeat(8),
      lane: "00".repeat(4),
      pack: 0,
      offset: 0,
    };
    for (const plainBytes of [0, 4 * 1024 * 1024 + 1]) {
      const wrong = filled([{ ...entry, length: 1, codec: 0 as const, plainBytes }], emptyLeaf());
      expect(() => decodeLeaf(encodeLeaf(wrong, "stream"), "leaf", "stream")).toThrow(GarrisonError);
    }
    for (const wrong of [
      { plainBytes: 0, length: 1 },
      { plainBytes: 1, length: 0 },
    ]) {
      const page = filled([{ ...entry, count: 1, ...wrong }], emptyInterior());
      const bytes = encodeInterior(1, page, "stream");
      expect(() => decodeInterior({ level: 1, kind: "stream" }, bytes, "page")).toThrow(GarrisonError);
    }
  });

  test("counts the bytes below it", () => {
    fc.assert(
      fc.property(leaf, interior, (entries, children) => {
        const sum = (parts: readonly ({ readonly plainBytes?: number } | undefined)[]) =>
          parts.reduce((total, part) => total + (part?.plainBytes ?? 0), 0);
        expect(streamBytesOf(entries)).toBe(sum(entries));
        expect(streamBytesBelow(children)).toBe(sum(children));
      }),
      { numRuns: 20 },
    );
  });
});

test("the bytes of a stream's pages are these", () => {
  const id = Uint8Array.from({ length: 32 }, (_, at) => 255 - at);
  const row = { session: "006b04dc400d99a8", lane: "e6e51313" };
  const entries = emptyLeaf();
  entries[0] = { id, ...row, pack: 1, offset: 32, length: 1000, codec: 1, plainBytes: 0x012345 };
  entries[1] = { id, ...row, pack: 1, offset: 1032, length: 20, codec: 0 };
  const children = emptyInterior();
  children[0] = { id, ...row, pack: 4, offset: 5, length: 6, count: 7, plainBytes: 0x0102030405 };
  expect({
    leaf: Buffer.from(encodeLeaf(entries, "stream")).toString("hex"),
    interior: Buffer.from(encodeInterior(1, children, "stream")).toString("hex"),
    emptyRoot: Buffer.from(encodeInterior(2, emptyInterior(), "stream")).toString("hex"),
  }).toMatchInlineSnapshot(`
    {
      "emptyRoot": "0112000000000000",
      "interior": "0111000100010000006b04dc400d99a8e6e51313fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e000000000000400000005000000060007000102030405",
      "leaf": "0110000100020000006b04dc400d99a8e6e5131311fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e000000000000100000020000003e801234510fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e00000000000010000040800000014080000",
    }
  `);
});

test("an open session says which of its volumes is a stream, and no other kind is known", () => {
  const volume = { volumeId: "stream", identity: "stream:stdin", coverage: "full", sizeBytes: 0 } as const;
  const open: SessionOpen = {
    kind: "backup",
    series: "11".repeat(16),
    bases: [],
    volumes: [
      { ...volume, kind: "stream" },
      { ...volume, volumeId: "disk", sizeBytes: 5 },
    ],
  };
  expect(decodeOpen(encodeOpen(open), "open")).toEqual(open);
  const text = Buffer.from(encodeOpen(open))
    .toString()
    .replace(/"kind":"stream"/, '"kind":"tape"');
  expect(() => decodeOpen(Buffer.from(text), "open")).toThrow("tape is not a kind of volume");
});
