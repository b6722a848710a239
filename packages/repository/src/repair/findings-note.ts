import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import { ByteReader } from "../format/byte-reader.ts";
import { ByteWriter } from "../format/byte-writer.ts";
import type { JsonFields, JsonObject } from "../format/json-fields.ts";
import { deleteNotes, readNewestNote, writeNote, type Keeper, type Note } from "../keeper/notes.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { isDamage } from "../point/is-damage.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { LostItems, type LostPack } from "./lost-items.ts";

/** A volume of a restore point that has lost something. */
export interface VolumeLoss {
  /** The series' keyed hash. */
  readonly series: string;
  readonly point: string;
  readonly volumeId: string;
  /** Blocks of the volume that can't be read; 0 when only its table or hooks are lost. */
  readonly blocks: number;
}

/** What is known to be lost in a domain, as the last check or repair left it. */
export interface KnownLosses {
  readonly lost: LostItems;
  readonly volumes: readonly VolumeLoss[];
  /** Of the note that says so. */
  readonly noteId?: string;
}

/** A note is a small object: what does not fit is found again once this has been healed. */
const maxLostBytes = 8 * 2 ** 20;
/** Some 32 TiB, and hundreds of bytes of memory each. */
const maxLostPacks = 2 ** 20;
const maxVolumes = 50_000;

/**
 * Loads what is known to be lost. Whoever may not read notes, and a note that can't be read, count as knowing nothing: a
 * loss is then met where it is read.
 */
export async function loadKnownLosses(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys; readonly logger: Logger },
  call: StoreCall,
): Promise<KnownLosses> {
  try {
    const note = await readNewestNote(dependencies, "findings", call);
    return note === undefined ? nothingLost() : decode(note);
  } catch (error) {
    if (!isDamage(error) && !isGarrisonError(error, "store-access-denied")) throw error;
    dependencies.logger.warn({ code: error.code }, "the notes on lost blocks can't be read");
    return nothingLost();
  }
}

export function nothingLost(): KnownLosses {
  return { lost: new LostItems(), volumes: [] };
}

/** Notes what is lost now, in place of the note before; writes nothing when that says the same. */
export async function noteLosses(
  keeper: Keeper,
  losses: { readonly before: KnownLosses; readonly now: Omit<KnownLosses, "noteId"> },
  call: StoreCall,
): Promise<void> {
  const { before, now } = losses;
  const body = encode(now);
  if (JSON.stringify(body) === JSON.stringify(encode(before))) return;
  await writeNote(keeper, { kind: "findings", body }, call);
  if (before.noteId !== undefined)
    await deleteNotes(keeper, { kind: "findings", ids: [before.noteId] }, call);
}

function encode({ lost, volumes }: Omit<KnownLosses, "noteId">): JsonObject {
  return { packs: encodePacks(lost), volumes: volumes.slice(0, maxVolumes) };
}

function decode({ id, fields }: Note): KnownLosses {
  const { entries, volumes } = readLosses(fields);
  const lost = new LostItems();
  for (const { count, ...first } of entries) {
    for (let next = 0; next < count; next++) lost.add({ ...first, number: first.number + next });
  }
  return { lost, volumes, noteId: id };
}

/** Packs that follow each other and are gone altogether are one entry. */
interface PackEntry extends LostPack {
  count: number;
}

/** A findings note as it is written. Throws `object-malformed`. */
export function readLosses(fields: JsonFields): {
  readonly entries: readonly PackEntry[];
  readonly volumes: readonly VolumeLoss[];
} {
  const entries = fields.list("packs", readEntry);
  const packs = entries.reduce((sum, { count }) => sum + count, 0);
  if (packs > maxLostPacks) throw fields.fail("it names more packs than there can be");
  const volumes = fields.list("volumes", (volume) => ({
    series: volume.hex("series", 16),
    point: volume.hex("point", 8),
    volumeId: volume.text("volumeId"),
    blocks: volume.count("blocks"),
  }));
  return { entries, volumes };
}

function encodePacks(lost: LostItems): readonly JsonObject[] {
  const entries: PackEntry[] = [];
  let [bytes, packs] = [0, 0];
  for (const pack of lost.known()) {
    if (++packs > maxLostPacks) break;
    const last = entries.at(-1);
    if (last !== undefined && continues(last, pack)) {
      last.count++;
      continue;
    }
    bytes += 120 + (pack.offsets.length + (pack.covered?.length ?? 0)) * 4;
    if (bytes > maxLostBytes) break;
    entries.push({ ...pack, count: 1 });
  }
  return entries.map(({ offsets, covered = [], ...entry }) => ({
    ...entry,
    offsets: encodeOffsets(offsets),
    covered: encodeOffsets(covered),
  }));
}

function continues(entry: PackEntry, pack: LostPack): boolean {
  const isSameLane = entry.kind === pack.kind && entry.session === pack.session && entry.lane === pack.lane;
  const areGone = isWhollyGone(entry) && isWhollyGone(pack);
  return isSameLane && areGone && entry.number + entry.count === pack.number;
}

function isWhollyGone({ keptBytes, covered }: LostPack): boolean {
  return keptBytes === 0 && covered === undefined;
}

function encodeOffsets(offsets: readonly number[]): string {
  const writer = new ByteWriter(offsets.length * 4 + 4);
  let before = 0;
  for (const offset of offsets) {
    writer.varint(offset - before);
    before = offset;
  }
  return Buffer.from(writer.finish()).toString("base64");
}

function readEntry(fields: JsonFields): PackEntry {
  const pack = {
    kind: fields.text("kind") === "map" ? ("map" as const) : ("pack" as const),
    session: fields.hex("session", 8),
    lane: fields.hex("lane", 4),
    number: fields.count("number"),
    ...(fields.has("keptBytes") ? { keptBytes: fields.count("keptBytes") } : {}),
    offsets: decodeOffsets(fields.bytes("offsets")),
  };
  const covered = decodeOffsets(fields.bytes("covered"));
  return covered.length > 0 ? { ...pack, covered, count: 1 } : { ...pack, count: fields.count("count") };
}

function decodeOffsets(bytes: Uint8Array): readonly number[] {
  const reader = new ByteReader(bytes, "the offsets of lost items");
  const offsets: number[] = [];
  while (reader.remaining > 0) offsets.push((offsets.at(-1) ?? 0) + reader.varint());
  return offsets;
}
