import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GarrisonError } from "@garrison/core/garrison-error";
import { seededRandom } from "@garrison/core/random";
import { deriveRepository } from "../keys/derive-keys.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { decodeHooks, encodeHooks, packHooks } from "./hooks.ts";
import { decodeInterior, emptyInterior, encodeInterior } from "./interior-page.ts";
import { pageAad } from "./item-identity.ts";
import { decodeLeaf, emptyLeaf, encodeLeaf } from "./leaf-page.ts";
import {
  decodeFooter,
  openItem,
  PackBuilder,
  packKey,
  packTrailerBytes,
  readTrailer,
} from "./pack-container.ts";
import { packPayload, unpackPayload } from "./page-payload.ts";
import { decodePackTable, encodePackTable, PackTable } from "./pack-table.ts";
import { decodeRecord, encodeRecord, type PointRecord } from "./point-record.ts";
import {
  controlPair,
  decodeObject,
  encodeObject,
  readSignedBody,
  signBody,
  type ObjectKind,
} from "./sealed-object.ts";
import { decodeMark, decodeOpen, encodeMark, encodeOpen } from "./session-objects.ts";

const random = seededRandom("codecs");
const repository = deriveRepository("11".repeat(16), [new Uint8Array(32).fill(5)]);
const keys = repository.domainKeys("local");

const id = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((each) => Buffer.from(each).toString("hex"));
const u32 = fc.nat(0xffffffff);
const address = fc.record({
  id,
  session: hex(8),
  lane: hex(4),
  pack: u32,
  offset: u32,
  length: fc.integer({ min: 1, max: 0xffffffff }),
});
const chunk = fc
  .tuple(address, fc.constantFrom(0 as const, 1 as const))
  .map(([at, codec]) => ({ ...at, codec }));
const page = fc.tuple(address, fc.nat(0xffff)).map(([at, count]) => ({ ...at, count }));
const sparse = <Item>(item: fc.Arbitrary<Item>) => fc.array(fc.tuple(fc.nat(511), item), { maxLength: 40 });

const leaf = sparse(chunk).map((entries) => {
  const entered = emptyLeaf();
  for (const [slot, entry] of entries) entered[slot] = entry;
  return entered;
});
const interior = sparse(page).map((entries) => {
  const entered = emptyInterior();
  for (const [slot, entry] of entries) entered[slot] = entry;
  return entered;
});
const table = fc
  .array(
    fc.record({
      kind: fc.constantFrom("pack" as const, "map" as const),
      session: hex(8),
      lane: hex(4),
      number: fc.nat(5000),
      references: fc.integer({ min: 1, max: 1e6 }),
      items: fc.nat(4096),
      sizeBytes: fc.nat(32 * 1024 * 1024),
    }),
    { maxLength: 30 },
  )
  .map((uses) => {
    const built = new PackTable();
    for (const use of uses) {
      built.addReference(use.kind, use, use.references);
      built.describe(use.kind, use, { ...use, epoch: epochOf(use) });
    }
    return built;
  });
/** All packs of a lane are of one epoch. */
const epochOf = (use: { readonly lane: string }) => 1 + (Number.parseInt(use.lane, 16) % 3);
const hooks = fc.array(fc.record({ idPrefix: fc.uint8Array({ minLength: 8, maxLength: 8 }), leaf: u32 }));
const open = fc.record({
  kind: fc.constant("backup" as const),
  series: hex(16),
  bases: fc.array(fc.record({ series: hex(16), session: hex(8) })),
  volumes: fc.array(
    fc.record({
      volumeId: fc.string(),
      identity: fc.string(),
      coverage: fc.constantFrom("full" as const, "changes" as const),
      sizeBytes: fc.maxSafeNat(),
    }),
  ),
});
const mark = fc.record(
  {
    continues: fc.record({ lane: hex(4), number: u32 }),
    frontier: fc.record({ volume: fc.nat(127), leaf: u32 }),
    leaves: fc.array(
      fc.record({ volume: fc.nat(127), leaf: u32, page: fc.option(page, { nil: undefined }) }),
    ),
    packs: fc.array(
      fc.record({
        lane: hex(4),
        kind: fc.constantFrom("pack" as const, "map" as const),
        number: u32,
        items: u32,
        sizeBytes: u32,
      }),
    ),
  },
  { requiredKeys: ["frontier", "leaves", "packs"] },
);
const count = fc.maxSafeNat();
const volume = fc.record({
  volumeId: fc.string(),
  sizeBytes: count,
  identity: fc.string(),
  coverage: fc.constantFrom("full" as const, "changes" as const),
  blocksListed: count,
  blocksRead: count,
  bytesRead: count,
  blocksStored: count,
  bytesStored: count,
  blocksReused: count,
  blocksResumed: count,
  blocksHeld: count,
  root: interior,
  tables: fc.array(address),
  hooks: fc.array(address),
});
const record: fc.Arbitrary<PointRecord> = fc.record(
  {
    session: hex(8),
    lane: hex(4),
    series: fc.string(),
    name: fc.string(),
    createdAtMs: count,
    durationMs: count,
    parent: hex(8),
    bases: fc.array(fc.record({ series: hex(16), session: hex(8) })),
    predecessor: hex(8),
    seen: fc.record({ count, sha256: hex(32) }),
    volumes: fc.array(volume, { maxLength: 3 }),
    tablePacks: fc.array(fc.record({ number: count, items: count, sizeBytes: count })),
    description: fc.uint8Array(),
  },
  {
    requiredKeys: [
      "session",
      "lane",
      "series",
      "name",
      "createdAtMs",
      "durationMs",
      "bases",
      "seen",
      "volumes",
      "tablePacks",
      "description",
    ],
  },
);

interface Codec<Value> {
  readonly name: string;
  readonly values: fc.Arbitrary<Value>;
  readonly encode: (value: Value) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => Value;
}

const codec = <Value>(each: Codec<Value>) => each as Codec<unknown>;
const codecs = [
  codec({
    name: "leaf",
    values: leaf,
    encode: encodeLeaf,
    decode: (bytes) => [...decodeLeaf(bytes, "leaf")],
  }),
  codec({
    name: "interior page",
    values: interior,
    encode: (each) => encodeInterior(1, each),
    decode: (bytes) => [...decodeInterior(1, bytes, "interior")],
  }),
  codec({
    name: "root",
    values: interior,
    encode: (each) => encodeInterior(2, each),
    decode: (bytes) => [...decodeInterior(2, bytes, "root")],
  }),
  codec({
    name: "hooks",
    values: hooks,
    encode: (each) => encodeHooks(packHooks(each)),
    decode: (bytes) =>
      Array.from(decodeHooks(bytes, "hooks"), ({ idPrefix, leaf }) => ({
        idPrefix: new Uint8Array(idPrefix),
        leaf,
      })),
  }),
  codec({ name: "open", values: open, encode: encodeOpen, decode: (bytes) => decodeOpen(bytes, "open") }),
  codec({ name: "mark", values: mark, encode: encodeMark, decode: (bytes) => decodeMark(bytes, "mark") }),
  codec({
    name: "record",
    values: record,
    encode: encodeRecord,
    decode: (bytes) => decodeRecord(bytes, "record"),
  }),
  codec({
    name: "page payload",
    values: fc.uint8Array({ maxLength: 5000 }),
    encode: packPayload,
    decode: (bytes) => new Uint8Array(unpackPayload(bytes, "payload")),
  }),
];

/** Decoding what was tampered with ends in a value or a named error, never in another one. */
function decodesOrNames(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(GarrisonError);
    expect((error as GarrisonError).code).toMatch(/^object-/);
  }
}

describe.each(codecs)("the $name codec", ({ values, encode, decode }) => {
  test("decodes what it encoded", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value))).toEqual(value);
      }),
      { numRuns: 60 },
    );
  });
  test("names what is wrong with cut, changed and random bytes", () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, mask) => {
        const bytes = new Uint8Array(encode(value));
        decodesOrNames(() => decode(bytes.subarray(0, at % (bytes.length + 1))));
        if (bytes.length > 0) bytes[at % bytes.length]! ^= mask;
        decodesOrNames(() => decode(bytes));
      }),
      { numRuns: 60 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => decodesOrNames(() => decode(bytes))));
  });
});

describe("a pack table", () => {
  test("keeps its uses through encoding, and equal tables have equal bytes", () => {
    fc.assert(
      fc.property(table, (built) => {
        const bytes = encodePackTable(built);
        const read = decodePackTable(bytes, "table");
        for (const kind of ["pack", "map"] as const)
          expect([...read.uses(kind)]).toEqual([...built.uses(kind)]);
        expect(Buffer.from(encodePackTable(read)).equals(bytes)).toBe(true);
      }),
    );
  });
  test("refuses to count below zero", () => {
    const built = new PackTable();
    const name = { session: "00".repeat(8), lane: "00".repeat(4), number: 3 };
    expect(() => built.addReference("pack", name, -1)).toThrow(GarrisonError);
  });
  test("names cut and changed bytes", () => {
    fc.assert(
      fc.property(table, fc.nat(), fc.integer({ min: 1, max: 255 }), (built, at, mask) => {
        const bytes = new Uint8Array(encodePackTable(built));
        decodesOrNames(() => decodePackTable(bytes.subarray(0, at % bytes.length), "table"));
        bytes[at % bytes.length]! ^= mask;
        decodesOrNames(() => decodePackTable(bytes, "table"));
      }),
    );
  });
});

describe("a small object", () => {
  const kinds: readonly ObjectKind[] = ["open", "mark", "record", "given-up", "note"];
  const name = "local/session/x/open";
  test("opens under its own name only, and any changed or missing byte is named", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(),
        (kind, body, at) => {
          const bytes = encodeObject(keys, random, { name, kind, body });
          expect(decodeObject(keys, name, bytes)).toEqual({ name, kind, body: Buffer.from(body), epoch: 1 });
          expect(() => decodeObject(keys, `${name}2`, bytes)).toThrow(GarrisonError);
          expect(() => decodeObject(repository.domainKeys("other"), name, bytes)).toThrow(GarrisonError);
          expect(() => decodeObject(keys, name, bytes.subarray(0, at % bytes.length))).toThrow(GarrisonError);
          bytes[at % bytes.length]! ^= 1;
          expect(() => decodeObject(keys, name, bytes)).toThrow(GarrisonError);
        },
      ),
    );
  });
  test("never has the same bytes twice", () => {
    const object = { name, kind: "open", body: Buffer.from("same") } as const;
    const [first, second] = [encodeObject(keys, random, object), encodeObject(keys, random, object)];
    expect(Buffer.from(first).equals(second)).toBe(false);
  });
  test("shows whether the keeper signed it", () => {
    const privateKey = repository.controlPrivateKey("local");
    const object = { name, kind: "tombstone", body: Buffer.from("{}"), epoch: 1 } as const;
    const signed = { ...object, body: signBody({ keys, privateKey }, object) };
    expect(readSignedBody(keys, signed)).toEqual({ isSigned: true, body: Buffer.from("{}") });
    expect(readSignedBody(keys, { ...signed, name: "other" }).isSigned).toBe(false);
    expect(readSignedBody(keys, { ...signed, kind: "fence" }).isSigned).toBe(false);
    const stranger = controlPair(new Uint8Array(32).fill(9)).privateKey;
    const forged = signBody({ keys, privateKey: stranger }, object);
    expect(readSignedBody(keys, { ...object, body: forged }).isSigned).toBe(false);
    expect(readSignedBody(keys, { ...object, body: Buffer.from("short") }).isSigned).toBe(false);
  });
});

describe("a pack", () => {
  const pack = { kind: "map", session: "00112233445566aa", lane: "01020304", number: 7 } as const;
  const place = { series: "22".repeat(16), volumeId: "vol-1", position: 512 };
  const secrets = { keys, itemKey: packKey(keys.mapKey, pack) };
  function build(payloads: readonly Uint8Array[]) {
    const builder = new PackBuilder(pack, secrets, Buffer.alloc(1024 * 1024));
    const aads = payloads.map((payload, position) =>
      pageAad(keys, {
        kind: 2,
        id: new Uint8Array(32).fill(payload.length & 255),
        place: { ...place, position },
      }),
    );
    const items = payloads.map((payload, position) => {
      const item = {
        kind: 2,
        codec: 0,
        volume: 0,
        position,
        plainBytes: payload.length,
        id: new Uint8Array(32),
      } as const;
      return builder.append(item, payload, aads[position]!);
    });
    return { bytes: new Uint8Array(builder.finish()), items, aads };
  }
  function footerOf(bytes: Uint8Array) {
    const { footerBytes } = readTrailer(bytes.subarray(bytes.length - packTrailerBytes), "pack");
    const end = bytes.length - packTrailerBytes;
    return decodeFooter(keys, pack, bytes.subarray(end - footerBytes, end));
  }
  const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 });

  test("gives back every item at its place, and its footer lists them", () => {
    fc.assert(
      fc.property(payloads, (contents) => {
        const { bytes, items, aads } = build(contents);
        for (const [index, { offset, length }] of items.entries()) {
          const plain = openItem(secrets.itemKey, aads[index]!, bytes.subarray(offset, offset + length));
          expect(Buffer.from(plain!).equals(contents[index]!)).toBe(true);
        }
        expect(footerOf(bytes).map(({ offset, length }) => ({ offset, length }))).toEqual(items);
      }),
    );
  });
  test("opens no item that was changed, moved to another place or belongs to another pack", () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (contents, at) => {
        const { bytes, items, aads } = build(contents);
        const { offset, length } = items[0]!;
        const stored = bytes.slice(offset, offset + length);
        const elsewhere = pageAad(keys, {
          kind: 2,
          id: new Uint8Array(32).fill(1),
          place: { ...place, position: 9999 },
        });
        expect(openItem(secrets.itemKey, elsewhere, stored)).toBeUndefined();
        const otherKey = packKey(keys.mapKey, { ...pack, number: 8 });
        expect(openItem(otherKey, aads[0]!, stored)).toBeUndefined();
        stored[at % stored.length]! ^= 1;
        expect(openItem(secrets.itemKey, aads[0]!, stored)).toBeUndefined();
      }),
    );
  });
  test("has a footer that no other pack's name opens", () => {
    const { bytes } = build([Buffer.from("x")]);
    const { footerBytes } = readTrailer(bytes.subarray(bytes.length - packTrailerBytes), "pack");
    const end = bytes.length - packTrailerBytes;
    const sealed = bytes.subarray(end - footerBytes, end);
    expect(() => decodeFooter(keys, { ...pack, number: 8 }, sealed)).toThrow(GarrisonError);
    expect(() => readTrailer(new Uint8Array(12), "pack")).toThrow(GarrisonError);
  });
});

test("numbers of seven bits a byte come back as they went", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), (number) => {
      expect(new ByteReader(new ByteWriter().varint(number).finish(), "number").varint()).toBe(number);
    }),
  );
  expect(new ByteReader(new ByteWriter().varint(2 ** 48).finish(), "number").varint()).toBe(2 ** 48);
  expect(() => new ByteReader(new Uint8Array(20).fill(255), "number").varint()).toThrow(GarrisonError);
});
