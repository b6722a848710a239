import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { formatJson, parseJson, type JsonFields, type JsonObject } from "./json-fields.ts";
import type { PackKind } from "./object-names.ts";
import { readPageReference, writePageReference, type PageReference } from "./page-reference.ts";

/** A restore point whose chunks a session may reuse. */
export interface SessionBase {
  /** The series' keyed hash. */
  readonly series: string;
  readonly session: string;
}

/** `session/<s>/open`: what the session is about; a resuming lane must bring the same volumes. */
export interface SessionOpen {
  readonly kind: "backup";
  readonly series: string;
  readonly bases: readonly SessionBase[];
  readonly volumes: readonly {
    readonly volumeId: string;
    readonly identity: string;
    readonly coverage: "full" | "changes";
    /** 0 for a stream: how long it is shows at its end. */
    readonly sizeBytes: number;
    /** Absent: an image. */
    readonly kind?: "stream";
  }[];
}

export function encodeOpen(open: SessionOpen): Uint8Array {
  return formatJson({ ...open });
}

export function decodeOpen(body: Uint8Array, what: string): SessionOpen {
  const fields = parseJson(body, what);
  if (fields.text("kind") !== "backup") throw fields.fail("its kind is not known");
  return {
    kind: "backup",
    series: fields.hex("series", 16),
    bases: fields.list("bases", readBase),
    volumes: fields.list("volumes", (volume) => ({
      volumeId: volume.text("volumeId"),
      identity: volume.text("identity"),
      coverage: volume.text("coverage") === "changes" ? ("changes" as const) : ("full" as const),
      sizeBytes: volume.count("sizeBytes"),
      ...readKind(volume),
    })),
  };
}

/**
 * `open` of a session that makes no restore point: `moves` puts items elsewhere (a prune's, or a repair's), `hold` keeps
 * its bases from being reclaimed while somebody reads them.
 */
export interface KeeperOpen {
  readonly kind: "moves" | "hold";
  readonly series: string;
  readonly bases: readonly SessionBase[];
}

export function encodeKeeperOpen(open: KeeperOpen): Uint8Array {
  return formatJson({ ...open });
}

/** What a keeper wants to know of any `open`, whatever kind it is. */
export interface OpenHead {
  readonly kind: string;
  readonly series: string;
  readonly bases: readonly SessionBase[];
}

export function decodeOpenHead(body: Uint8Array, what: string): OpenHead {
  const fields = parseJson(body, what);
  return {
    kind: fields.text("kind"),
    series: fields.hex("series", 16),
    bases: fields.list("bases", readBase),
  };
}

/** `base-<n>`. */
export function decodeBase(body: Uint8Array, what: string): SessionBase {
  return readBase(parseJson(body, what));
}

function readBase(fields: JsonFields): SessionBase {
  return { series: fields.hex("series", 16), session: fields.hex("session", 8) };
}

/** The slot of a session that moved items: which packs it made. */
export interface SessionMoves {
  readonly session: string;
  readonly packs: readonly MarkPack[];
}

export function encodeMoves(moves: SessionMoves): JsonObject {
  return { ...moves };
}

export function decodeMoves(body: Uint8Array, what: string): SessionMoves {
  const fields = parseJson(body, what);
  return { session: fields.hex("session", 8), packs: fields.list("packs", readMarkPack) };
}

/** What `open` and record say of a volume that is not an image. */
export function readKind(volume: JsonFields): { readonly kind?: "stream" } {
  const kind = volume.optionalText("kind");
  if (kind === undefined) return {};
  if (kind !== "stream") throw volume.fail(`${kind} is not a kind of volume`);
  return { kind };
}

export interface MarkLeaf {
  readonly volume: number;
  readonly leaf: number;
  /** Nothing: all blocks of the leaf are zero. */
  readonly page: PageReference | undefined;
}

/** A stored pack with what the pack table says about it. */
export interface MarkPack {
  readonly lane: string;
  readonly kind: PackKind;
  readonly number: number;
  readonly items: number;
  readonly sizeBytes: number;
}

/** A checkpoint: everything before the frontier is stored. */
export interface SessionMark {
  /** The mark of another lane that this lane's first mark goes on from. */
  readonly continues?: { readonly lane: string; readonly number: number };
  readonly frontier: { readonly volume: number; readonly leaf: number };
  /** Leaves since the mark before, in order. */
  readonly leaves: readonly MarkLeaf[];
  /** This lane's packs since its mark before: all they hold lies before the frontier. */
  readonly packs: readonly MarkPack[];
}

export function encodeMark(mark: SessionMark): Uint8Array {
  const leaves = new ByteWriter(64 + mark.leaves.length * 65);
  for (const { volume, leaf, page } of mark.leaves) {
    leaves
      .u16(volume)
      .u32(leaf)
      .u8(page === undefined ? 0 : 1);
    if (page !== undefined) writePageReference(leaves, page);
  }
  return formatJson({
    continues: mark.continues === undefined ? [] : [mark.continues],
    ...mark.frontier,
    leaves: Buffer.from(leaves.finish()).toString("base64"),
    packs: mark.packs,
  });
}

export function decodeMark(body: Uint8Array, what: string): SessionMark {
  const fields = parseJson(body, what);
  const [continues] = fields.list("continues", (from) => ({
    lane: from.hex("lane", 4),
    number: from.count("number"),
  }));
  return {
    ...(continues === undefined ? {} : { continues }),
    frontier: { volume: fields.count("volume"), leaf: fields.count("leaf") },
    leaves: readLeaves(fields.bytes("leaves"), what),
    packs: fields.list("packs", readMarkPack),
  };
}

function readMarkPack(pack: JsonFields): MarkPack {
  return {
    lane: pack.hex("lane", 4),
    kind: pack.text("kind") === "map" ? "map" : "pack",
    number: pack.count("number"),
    items: pack.count("items"),
    sizeBytes: pack.count("sizeBytes"),
  };
}

function readLeaves(bytes: Uint8Array, what: string): MarkLeaf[] {
  const reader = new ByteReader(bytes, what);
  const leaves: MarkLeaf[] = [];
  while (reader.remaining > 0) {
    const place = { volume: reader.u16(), leaf: reader.u32() };
    leaves.push({ ...place, page: reader.u8() === 0 ? undefined : readPageReference(reader) });
  }
  return leaves;
}
