import type { Random } from "@garrison/core/random";
import type { VolumeSummary } from "../backup/backup-plan.ts";
import { ByteWriter } from "./byte-writer.ts";
import { deriveKey } from "./derive-key.ts";
import { decodeInterior, encodeInterior, type Interior } from "./interior-page.ts";
import { formatJson, parseJson, parseJsonObject, type JsonFields } from "./json-fields.ts";
import type { ItemAddress } from "./page-reference.ts";
import { counterNonce, openBytes, sealBytes } from "./seal.ts";
import { readKind, type SessionBase } from "./session-objects.ts";

export interface RecordVolume extends VolumeSummary {
  readonly deviceName?: string;
  readonly sizeBytes: number;
  /** Absent: an image. */
  readonly kind?: "stream";
  /** SHA-256 of a whole stream, in hex. */
  readonly sha256?: string;
  readonly identity: string;
  readonly blocksHeld: number;
  /** Level 2 of the map. */
  readonly root: Interior;
  /** Parts of the volume's pack table, in order. */
  readonly tables: readonly ItemAddress[];
  readonly hooks: readonly ItemAddress[];
}

export interface TablePack {
  readonly number: number;
  readonly items: number;
  readonly sizeBytes: number;
}

/** The restore point: the one object whose creation commits a session. */
export interface PointRecord {
  readonly session: string;
  readonly lane: string;
  readonly series: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly durationMs: number;
  readonly parent?: string;
  readonly bases: readonly SessionBase[];
  /** The newest point of the series when this session began, and a digest of all it saw: gaps show. */
  readonly predecessor?: string;
  readonly seen: { readonly count: number; readonly sha256: string };
  /** Until when the point is promised to be undeletable. */
  readonly promisedUntilMs?: number;
  readonly volumes: readonly RecordVolume[];
  /** The committing lane's map packs that hold tables and hooks: the tables can't count them. */
  readonly tablePacks: readonly TablePack[];
  /** Sealed under the session's data key. */
  readonly description: Uint8Array;
}

export function encodeRecord(record: PointRecord): Uint8Array {
  return formatJson({
    ...record,
    seen: [record.seen],
    description: Buffer.from(record.description).toString("base64"),
    volumes: record.volumes.map((volume) => ({
      ...volume,
      root: Buffer.from(encodeInterior(2, volume.root, volume.kind)).toString("base64"),
      tables: volume.tables.map(formatAddress),
      hooks: volume.hooks.map(formatAddress),
    })),
  });
}

export function decodeRecord(body: Uint8Array, what: string): PointRecord {
  const fields = parseJson(body, what);
  const parent = fields.optionalHex("parent", 8);
  const predecessor = fields.optionalHex("predecessor", 8);
  const promisedUntilMs = fields.optionalCount("promisedUntilMs");
  const [seen] = fields.list("seen", readSeen);
  if (seen === undefined) throw fields.fail("it does not say what it saw");
  return {
    session: fields.hex("session", 8),
    lane: fields.hex("lane", 4),
    series: fields.text("series"),
    name: fields.text("name"),
    createdAtMs: fields.count("createdAtMs"),
    durationMs: fields.count("durationMs"),
    ...(parent === undefined ? {} : { parent }),
    ...(predecessor === undefined ? {} : { predecessor }),
    ...(promisedUntilMs === undefined ? {} : { promisedUntilMs }),
    bases: fields.list("bases", (base) => ({
      series: base.hex("series", 16),
      session: base.hex("session", 8),
    })),
    seen,
    volumes: fields.list("volumes", (volume) => readVolume(volume, what)),
    tablePacks: fields.list("tablePacks", (pack) => ({
      number: pack.count("number"),
      items: pack.count("items"),
      sizeBytes: pack.count("sizeBytes"),
    })),
    description: fields.bytes("description"),
  };
}

const readSeen = (fields: JsonFields) => ({ count: fields.count("count"), sha256: fields.hex("sha256", 32) });

function readVolume(fields: JsonFields, what: string): RecordVolume {
  const deviceName = fields.optionalText("deviceName");
  const { kind } = readKind(fields);
  const root = { level: 2, kind } as const;
  return {
    volumeId: fields.text("volumeId"),
    ...(deviceName === undefined ? {} : { deviceName }),
    ...(kind === undefined ? {} : { kind, sha256: fields.hex("sha256", 32) }),
    sizeBytes: fields.count("sizeBytes"),
    identity: fields.text("identity"),
    coverage: fields.text("coverage") === "changes" ? "changes" : "full",
    blocksListed: fields.count("blocksListed"),
    blocksRead: fields.count("blocksRead"),
    bytesRead: fields.count("bytesRead"),
    blocksStored: fields.count("blocksStored"),
    bytesStored: fields.count("bytesStored"),
    blocksReused: fields.count("blocksReused"),
    blocksResumed: fields.count("blocksResumed"),
    blocksHeld: fields.count("blocksHeld"),
    root: decodeInterior(root, fields.bytes("root"), `${what}, root of ${fields.text("volumeId")}`),
    tables: fields.list("tables", readAddress),
    hooks: fields.list("hooks", readAddress),
  };
}

function formatAddress(address: ItemAddress) {
  return { ...address, id: Buffer.from(address.id).toString("hex") };
}

function readAddress(fields: JsonFields): ItemAddress {
  return {
    id: new Uint8Array(Buffer.from(fields.hex("id", 32), "hex")),
    session: fields.hex("session", 8),
    lane: fields.hex("lane", 4),
    pack: fields.count("pack"),
    offset: fields.count("offset"),
    length: fields.count("length"),
  };
}

/** What describes a resource (user data among it) opens only with the session's data key: salt, then sealed JSON. */
export function sealDescription(
  owner: { readonly dataKey: Uint8Array; readonly name: string; readonly random: Random },
  description: Readonly<Record<string, unknown>>,
): Uint8Array {
  const salt = owner.random.bytes(16);
  const context = descriptionContext(owner.dataKey, owner.name, salt);
  return new ByteWriter(1024)
    .bytes(salt)
    .bytes(sealBytes(context, formatJson(description)))
    .finish();
}

/** Nothing when it does not open with this key. Throws `object-malformed` for what is no JSON object inside. */
export function openDescription(
  owner: { readonly dataKey: Uint8Array; readonly name: string },
  sealed: Uint8Array,
): Readonly<Record<string, unknown>> | undefined {
  const context = descriptionContext(owner.dataKey, owner.name, sealed.subarray(0, 16));
  const plain = openBytes(context, sealed.subarray(16));
  return plain === undefined ? undefined : parseJsonObject(plain, `the description in ${owner.name}`);
}

function descriptionContext(dataKey: Uint8Array, name: string, salt: Uint8Array) {
  return {
    key: deriveKey(dataKey, "description", [name, salt]),
    nonce: counterNonce(0),
    aad: Buffer.from(name),
  };
}
