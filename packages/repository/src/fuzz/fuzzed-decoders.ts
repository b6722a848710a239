import { randomBelow, seededRandom, type Random } from "@garrison/core/random";
import { zstdCompressSync } from "node:zlib";
import { VerifiedPacks } from "../check/verified-packs.ts";
import { appendMac, formatAuthenticJson } from "../format/authentic-json.ts";
import { ByteReader } from "../format/byte-reader.ts";
import { decodeForward } from "../format/forward.ts";
import { decodeHooks, encodeHooks, packHooks } from "../format/hooks.ts";
import { decodeInterior, encodeInterior } from "../format/interior-page.ts";
import { parseJson, parseJsonObject, type JsonObject } from "../format/json-fields.ts";
import {
  decodeEpochSlot,
  decodeRetiredMark,
  parseKeyName,
  retiredMacKey,
  slotMacKey,
} from "../format/key-marks.ts";
import { decodeWrap } from "../format/key-wrap.ts";
import { decodeLeaf, encodeLeaf } from "../format/leaf-page.ts";
import {
  packName,
  parseForwardName,
  parseMarkName,
  parseNoteName,
  parsePackName,
  parseSlotName,
  seriesHash,
} from "../format/object-names.ts";
import {
  checkHeader,
  decodeFooter,
  openItem,
  packHeaderBytes,
  packTrailerBytes,
  readFooterEntries,
  readTrailer,
} from "../format/pack-container.ts";
import { decodePackTable, encodePackTable } from "../format/pack-table.ts";
import { packPayload, unpackPayload } from "../format/page-payload.ts";
import { decodeRecord, openDescription, sealDescription } from "../format/point-record.ts";
import { decodeObject, readSignedBody, type ObjectKind } from "../format/sealed-object.ts";
import {
  decodeBase,
  decodeMark,
  decodeMoves,
  decodeOpen,
  decodeOpenHead,
} from "../format/session-objects.ts";
import { exportEscrow } from "../keys/escrow-keys.ts";
import { parseEscrowSheet } from "../keys/escrow-sheet.ts";
import { openKeyring } from "../keys/open-keyring.ts";
import { decodeLocks } from "../locks/lock-ledger.ts";
import { decodeSessions } from "../prune/session-sets.ts";
import { readLosses } from "../repair/findings-note.ts";
import { decodeRepositoryHeader } from "../keys/repository-header.ts";
import { readFooter } from "../backup/load-resume.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import { call, fixtureDomain } from "../simulation/engine-fixture.ts";
import { buildSampleRepository, type SampleRepository } from "../simulation/sample-repository.ts";
import type { FuzzedDecoder } from "@garrison/core/fuzz/fuzz-decoder";

const masterSecret = new Uint8Array(32).fill(3);

/** Every decoder of what comes out of a store, with valid inputs from a small repository. */
export async function listFuzzedDecoders(seed: string): Promise<readonly FuzzedDecoder[]> {
  const sample = await buildSampleRepository(seed, [{ masterSecret }]);
  return [
    ...(await keyDecoders(sample)),
    ...objectDecoders(sample),
    ...(await packDecoders(sample)),
    ...(await pageDecoders(sample)),
    ...noteDecoders(),
    ...nameDecoders(sample),
  ];
}

function namesWith(sample: SampleRepository, part: string): readonly string[] {
  return [...sample.fixture.objects.keys()].filter((key) => key.includes(part)).sort();
}

function bytesOf(sample: SampleRepository, part: string): readonly Uint8Array[] {
  return namesWith(sample, part).map((key) => sample.fixture.objects.get(key)!.bytes);
}

async function keyDecoders(sample: SampleRepository): Promise<readonly FuzzedDecoder[]> {
  const { fixture } = sample;
  const [first] = fixture.masterKeys;
  const { repositoryId } = fixture.repository;
  const place = { repositoryId, wrapId: "0011223344556677" };
  const slot = { repositoryId, epoch: 2 };
  const keyring = await openKeyring(fixture, { secrets: [{ masterSecret }] }, call);
  const sheet = await exportEscrow(fixture, { keyring, label: "sheet" }, call);
  const password = {
    kdf: "argon2id",
    salt: "paWlpaWlpaWlpaWlpaWlpQ==",
    memoryKiB: 65_536,
    passes: 3,
    parallelism: 1,
  };
  const sealed = { keys: Buffer.alloc(80).toString("base64"), epochs: 2 };
  const wraps = [
    { ...password, ...sealed },
    { ...password, ...sealed, kdf: "kms", keyId: "k", wrappedSecret: "AA==" },
  ];
  return [
    {
      name: "repository header",
      samples: bytesOf(sample, "garrison"),
      decode: (bytes) => decodeRepositoryHeader(bytes, "memory:"),
    },
    {
      name: "key wrap",
      samples: [
        ...bytesOf(sample, "key/").slice(0, 1),
        ...wraps.map((wrap) => Buffer.from(JSON.stringify(wrap))),
      ],
      decode: (bytes) => decodeWrap(bytes, "key/x"),
    },
    {
      name: "epoch slot",
      samples: bytesOf(sample, "key/epoch-"),
      decode: (bytes) => decodeEpochSlot(slot, bytes, first!),
    },
    {
      name: "epoch slot by a holder of the keys",
      samples: [Buffer.from('{"check":"' + "ab".repeat(32) + '","madeAtMs":1')],
      decode: (body) => decodeEpochSlot(slot, appendMac(body, slotMacKey(slot, first!)), first!),
    },
    {
      name: "retired mark",
      samples: [formatAuthenticJson({ retiredAtMs: 1 }, first!)],
      decode: (bytes) => decodeRetiredMark(place, bytes, first!),
    },
    {
      name: "retired mark by a holder of the keys",
      samples: [Buffer.from('{"retiredAtMs":1')],
      decode: (body) => decodeRetiredMark(place, appendMac(body, retiredMacKey(place, first!)), first!),
    },
    {
      name: "escrow sheet",
      samples: [Buffer.from(sheet.text)],
      decode: (bytes) => parseEscrowSheet(Buffer.from(bytes).toString()),
    },
  ];
}

/** The envelope of small objects, and what is in it: a writer of the domain could seal anything. */
function objectDecoders(sample: SampleRepository): readonly FuzzedDecoder[] {
  const { keys } = sample.fixture;
  const opened = [...sample.fixture.objects].flatMap(([name, { bytes }]) =>
    isSmallObject(bytes) ? [decodeObject(keys, name, bytes)] : [],
  );
  const [name] = namesWith(sample, "/open");
  const bodies = (kind: ObjectKind) =>
    opened.filter((object) => object.kind === kind).map((object) => object.body);
  const signed = (kind: ObjectKind) => bodies(kind).map((body) => body.subarray(64));
  const forward = parseForwardName(namesWith(sample, "/moved/pack/")[0]!)!;
  const base = Buffer.from(JSON.stringify({ series: "00".repeat(16), session: "00".repeat(8) }));
  return [
    {
      name: "small object",
      samples: [sample.fixture.objects.get(name!)!.bytes],
      decode: (bytes) => decodeObject(keys, name!, bytes),
    },
    {
      name: "signed body",
      samples: [...bodies("tombstone"), ...bodies("note")],
      decode: (body) => readSignedBody(keys, { name: name!, kind: "note", body, epoch: 2 }),
    },
    {
      name: "open",
      samples: bodies("open").filter((body) => isBackup(body)),
      decode: (body) => decodeOpen(body, "open"),
    },
    { name: "open, its head", samples: bodies("open"), decode: (body) => decodeOpenHead(body, "open") },
    { name: "base", samples: [base], decode: (body) => decodeBase(body, "base") },
    { name: "mark", samples: bodies("mark"), decode: (body) => decodeMark(body, "mark") },
    { name: "record", samples: bodies("record"), decode: (body) => decodeRecord(body, "record") },
    { name: "moves", samples: signed("moves"), decode: (body) => decodeMoves(body, "moves") },
    {
      name: "forward",
      samples: signed("forward"),
      decode: (body) => decodeForward(body, forward, "forward"),
    },
    {
      name: "json fields",
      samples: [...signed("note"), ...signed("tombstone"), ...bodies("given-up")],
      decode: readAllFields,
    },
  ];
}

function isSmallObject(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 4)).toString() === "GRSN";
}

function isBackup(body: Uint8Array): boolean {
  return parseJsonObject(body, "open")["kind"] === "backup";
}

function readAllFields(body: Uint8Array): JsonObject {
  return parseJsonObject(body, "json");
}

async function packDecoders(sample: SampleRepository): Promise<readonly FuzzedDecoder[]> {
  const { fixture } = sample;
  const { keys } = fixture;
  const [name] = namesWith(sample, "/pack/").filter((key) => !key.includes("/moved/"));
  const bytes = fixture.objects.get(name!)!.bytes;
  const address = parsePackName(name!)!;
  const what = packName(fixtureDomain, address.kind, address);
  const trailer = bytes.subarray(-packTrailerBytes);
  const { footerBytes } = readTrailer(trailer, what);
  const footer = bytes.subarray(-packTrailerBytes - footerBytes, -packTrailerBytes);
  const entries = await readFooter(fixture, { address, sizeBytes: bytes.length }, call);
  const line = encodeFooterLine(seededRandom("footer"));
  const description = sealDescription(
    { dataKey: keys.idKey, name: what, random: fixture.random },
    { a: [1, "b"] },
  );
  const block = zstdCompressSync(Buffer.alloc(70_000, "block"));
  return [
    {
      name: "pack header",
      samples: [bytes.subarray(0, packHeaderBytes)],
      decode: (header) => checkHeader({ ...address, epoch: 1 }, header, what),
    },
    { name: "pack trailer", samples: [trailer], decode: (tail) => readTrailer(tail, what) },
    { name: "pack footer", samples: [footer], decode: (sealed) => decodeFooter(keys, address, sealed) },
    {
      name: "footer lines",
      samples: [line, Buffer.concat([line, line])],
      decode: (plain) => readFooterEntries(plain, what),
    },
    {
      name: "item",
      samples: [bytes.subarray(entries[0]!.offset, entries[0]!.offset + entries[0]!.length)],
      decode: (stored) => openItem(keys.idKey, keys.idKey, stored),
    },
    {
      name: "description",
      samples: [description],
      decode: (sealed) => openDescription({ dataKey: keys.idKey, name: what }, sealed),
    },
    {
      name: "page payload",
      samples: [
        packPayload(Buffer.alloc(3000, "page")),
        packPayload(Buffer.from("short")),
        Buffer.concat([Buffer.from([1, 0, 1, 0x11, 0x70]), block]),
      ],
      decode: (payload) => unpackPayload(payload, what),
    },
  ];
}

function encodeFooterLine(random: Random): Uint8Array {
  const line = Buffer.from(random.bytes(54));
  line.set([1 + randomBelow(random, 5), 1], 0);
  return line;
}

async function pageDecoders(sample: SampleRepository): Promise<readonly FuzzedDecoder[]> {
  const readers = await openReaders(sample);
  const leaves: Uint8Array[] = [];
  const interiors: Uint8Array[] = [];
  const tables: Uint8Array[] = [];
  const hooks: Uint8Array[] = [encodeHooks(packHooks([{ idPrefix: new Uint8Array(8), leaf: 3 }]))];
  for (const reader of readers.filter(({ volume }) => volume.kind === undefined)) {
    interiors.push(encodeInterior(1, (await reader.interior(0))!));
    leaves.push(encodeLeaf((await reader.leaf(0))!));
    tables.push(encodePackTable(await reader.table()));
    hooks.push(encodeHooks(await reader.hooks()));
  }
  const images = readers.filter(({ volume }) => volume.kind === undefined);
  const roots = images.map((reader) => encodeInterior(2, reader.volume.root));
  const streams = readers.filter(({ volume }) => volume.kind === "stream");
  const streamRoots = streams.map((reader) => encodeInterior(2, reader.volume.root, "stream"));
  const streamLeaves: Uint8Array[] = [];
  const streamInteriors: Uint8Array[] = [];
  for (const reader of streams) {
    streamLeaves.push(encodeLeaf((await reader.leaf(0))!, "stream"));
    streamInteriors.push(encodeInterior(1, (await reader.interior(0))!, "stream"));
  }
  return [
    { name: "leaf page", samples: leaves, decode: (bytes) => decodeLeaf(bytes, "leaf") },
    { name: "interior page", samples: interiors, decode: (bytes) => decodeInterior(1, bytes, "interior") },
    { name: "root page", samples: roots, decode: (bytes) => decodeInterior(2, bytes, "root") },
    {
      name: "leaf page of a stream",
      samples: streamLeaves,
      decode: (bytes) => decodeLeaf(bytes, "leaf", "stream"),
    },
    {
      name: "interior page of a stream",
      samples: streamInteriors,
      decode: (bytes) => decodeInterior({ level: 1, kind: "stream" }, bytes, "interior"),
    },
    {
      name: "root page of a stream",
      samples: streamRoots,
      decode: (bytes) => decodeInterior({ level: 2, kind: "stream" }, bytes, "root"),
    },
    {
      name: "pack table",
      samples: tables,
      decode: (bytes) => encodePackTable(decodePackTable(bytes, "table")),
    },
    { name: "hooks", samples: hooks, decode: (bytes) => decodeHooks(bytes, "hooks") },
    {
      name: "varint",
      samples: [Buffer.from([0xff, 0x7f])],
      decode: (bytes) => new ByteReader(bytes, "varint").varint(),
    },
  ];
}

async function openReaders({ fixture, points }: SampleRepository): Promise<readonly VolumeReader[]> {
  const readers: VolumeReader[] = [];
  for (const { series, sessionId } of points) {
    const hash = seriesHash(fixture.keys, series);
    const name = `${fixtureDomain}/point/${hash}/${sessionId}`;
    const object = decodeObject(fixture.keys, name, fixture.objects.get(name)!.bytes);
    const [volume] = decodeRecord(object.body, name).volumes;
    readers.push(openVolumeReader(fixture, { series: hash, volume: volume! }, call));
  }
  return readers;
}

function nameDecoders(sample: SampleRepository): readonly FuzzedDecoder[] {
  const parsers = [
    parsePackName,
    parseMarkName,
    parseForwardName,
    parseSlotName,
    parseNoteName,
    parseKeyName,
  ];
  const decode = (bytes: Uint8Array) => parsers.map((parse) => parse(Buffer.from(bytes).toString()));
  return [{ name: "object names", samples: namesWith(sample, "").map((name) => Buffer.from(name)), decode }];
}

/** What only a keeper can have signed, and is kept for years. */
function noteDecoders(): readonly FuzzedDecoder[] {
  const lane = { kind: "pack", session: "00".repeat(8), lane: "11".repeat(4) } as const;
  const sessions = { lists: [{ series: "22".repeat(16), sessions: "00".repeat(8) + "33".repeat(8) }] };
  const none = { offsets: "", covered: "" };
  const packs = [
    { ...lane, number: 3, count: 4, keptBytes: 0, ...none },
    { ...lane, kind: "map", number: 9, count: 1, offsets: "IAg=", covered: "IA==" },
  ];
  const volumes = [{ series: "22".repeat(16), point: "33".repeat(8), volumeId: "vol-1", blocks: 5 }];
  const held = { leastMs: 1, packs: [{ kind: "pack", lane: "11".repeat(4), bits: "/wE=" }] };
  const locks = [
    { session: "00".repeat(8), latestMs: 2, ...held },
    { session: "33".repeat(8), latestMs: 3 },
  ];
  const verified = new VerifiedPacks();
  for (const number of [0, 1, 2, 7]) verified.append({ ...lane, number }, 1_795_564_800 + (number >> 2));
  return [
    {
      name: "findings",
      samples: [jsonOf({ packs, volumes })],
      decode: (body) => readLosses(parseJson(body, "findings")),
    },
    {
      name: "locks",
      samples: [jsonOf({ sessions: locks })],
      decode: (body) => decodeLocks(parseJson(body, "locks")),
    },
    {
      name: "sets of sessions",
      samples: [jsonOf({ parts: [sessions, sessions] })],
      decode: (body) => parseJson(body, "catalogue").list("parts", decodeSessions),
    },
    {
      name: "packs read by checks",
      samples: [verified.encode()],
      decode: (bytes) => VerifiedPacks.decode(bytes, "verified"),
    },
  ];
}

function jsonOf(value: JsonObject): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
