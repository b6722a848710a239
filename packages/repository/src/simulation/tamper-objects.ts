import { decodeObject } from "../format/sealed-object.ts";
import { parseJson } from "../format/json-fields.ts";
import { parseKeyName } from "../format/key-marks.ts";
import { parseNoteName, parsePackName, parseSlotName } from "../format/object-names.ts";
import { openMemoryObjectStore } from "../store/memory-object-store.ts";
import type { SampleRepository } from "./sample-repository.ts";

/** What lies under which name afterwards; nothing: it is deleted. */
export type Changes = ReadonlyMap<string, Uint8Array | undefined>;

/** One way to spoil an object. */
export interface Tampering {
  readonly how: "changed" | "deleted" | "older";
  /** For people. */
  readonly what: string;
  /** The object that a check has to name. */
  readonly name: string;
  readonly changes: Changes;
}

export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface TamperedObject {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Another object of the kind. */
  readonly other: NamedBytes | undefined;
  /** An object of another kind. */
  readonly foreign: NamedBytes;
  /** What another course of events would have put under the name, with the same keys. */
  readonly older: Uint8Array | undefined;
}

/** Names of a sample's objects by kind, in order. */
export function namesByKind(sample: SampleRepository): ReadonlyMap<string, readonly string[]> {
  const kinds = new Map<string, string[]>();
  for (const name of [...sample.fixture.objects.keys()].sort()) {
    const kind = kindOf(sample, name);
    kinds.set(kind, [...(kinds.get(kind) ?? []), name]);
  }
  return kinds;
}

function kindOf(sample: SampleRepository, name: string): string {
  if (!name.includes("/")) return "header";
  if (name === "probe/noted") return "probe note";
  const key = parseKeyName(name);
  if (key !== undefined) return { wrap: "wrap", retired: "retired mark", epoch: "epoch slot" }[key.kind];
  return packKindOf(sample, name) ?? smallKindOf(sample, name);
}

/** What nobody refers to any more is a kind of its own: a check has no reason to look at it. */
function packKindOf({ endedPoint }: SampleRepository, name: string): string | undefined {
  const pack = parsePackName(name);
  if (pack === undefined || name.includes("/moved/")) return undefined;
  return pack.session === endedPoint ? `${pack.kind} of an ended point` : pack.kind;
}

function smallKindOf(sample: SampleRepository, name: string): string {
  const { fixture } = sample;
  const object = decodeObject(fixture.keys, name, fixture.objects.get(name)!.bytes);
  if (object.kind === "note") return `note: ${parseNoteName(name)!.kind}`;
  if (object.kind === "open") return `open of a ${parseJson(object.body, name).text("kind")}`;
  return object.kind === "record" ? recordKindOf(sample, name) : object.kind;
}

function recordKindOf({ points, endedPoint }: SampleRepository, name: string): string {
  const { session } = parseSlotName(name)!;
  if (session === endedPoint) return "record of an ended point";
  const newest = new Map(points.map(({ series, sessionId }) => [series, sessionId]));
  return [...newest.values()].includes(session) ? "record, the newest of its series" : "record";
}

/** All that is done to one object. */
export function* listTamperings(object: TamperedObject): Generator<Tampering> {
  const { name, bytes, other, foreign, older } = object;
  const only = (how: Tampering["how"], what: string, changed: Uint8Array | undefined): Tampering => ({
    how,
    what,
    name,
    changes: new Map([[name, changed]]),
  });
  for (const length of [0, Math.floor(bytes.length / 2), bytes.length - 1])
    yield only("changed", `cut to ${length} bytes`, bytes.slice(0, length));
  yield only("changed", "followed by a byte", Buffer.concat([bytes, Buffer.alloc(1, 0x5a)]));
  for (const at of placesIn(bytes.length))
    yield only("changed", `bit ${at % 8} of byte ${at} flipped`, flipped(bytes, at));
  yield only("changed", `replaced by ${foreign.name}`, foreign.bytes);
  if (other !== undefined) {
    yield only("changed", `replaced by ${other.name}`, other.bytes);
    const swapped = new Map([
      [name, other.bytes],
      [other.name, bytes],
    ]);
    yield { how: "changed", what: `swapped with ${other.name}`, name, changes: swapped };
  }
  yield only("deleted", "deleted", undefined);
  if (older !== undefined && !Buffer.from(older).equals(bytes))
    yield only("older", "an older version", older);
}

/** Header, body, and what a pack has at its end: footer and trailer. */
function placesIn(length: number): readonly number[] {
  const places = [0, 7, Math.floor(length / 2), length - 20, length - 6, length - 1];
  return [...new Set(places.filter((place) => place >= 0 && place < length))];
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = new Uint8Array(bytes);
  changed[at]! ^= 1 << (at % 8);
  return changed;
}

/** A copy of the sample in which this has happened. */
export function tamper(sample: SampleRepository, changes: Changes): SampleRepository {
  const objects = new Map(sample.fixture.objects);
  for (const [name, bytes] of changes) {
    if (bytes === undefined) objects.delete(name);
    else objects.set(name, { modifiedMs: 0, ...objects.get(name), bytes });
  }
  const store = openMemoryObjectStore(sample.fixture.clock, objects);
  return { ...sample, fixture: { ...sample.fixture, objects, store } };
}
