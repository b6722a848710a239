import { GarrisonError } from "@garrison/core/garrison-error";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { firstEpoch, formatVersion, maxEpochs } from "./format-limits.ts";
import type { PackKind, PackName } from "./object-names.ts";

/** What a restore point needs of one pack. */
export interface PackUse extends PackName {
  readonly kind: PackKind;
  /** Entries of the volume's map that refer into the pack. */
  readonly references: number;
  /** Items in the pack. */
  readonly items: number;
  readonly sizeBytes: number;
  /** Key epoch of the session; 0 while it has not been described. */
  readonly epoch: number;
}

/** Three numbers a pack: references, items, size. 12 bytes, because a large volume has half a million packs. */
const factsEach = 3;
/** Numbers may be far apart: room is made for so many neighbours at a time, however large a number is. */
const packsEach = 32;

interface Group {
  readonly session: string;
  readonly lane: string;
  epoch: number;
  readonly pages: Map<number, Uint32Array>;
}

/** What a restore point needs of the packs of one lane. */
export interface LaneUses {
  readonly session: string;
  readonly lane: string;
  readonly epoch: number;
  readonly packs: number;
  uses(): Iterable<PackUse>;
}

/**
 * Which packs one volume of a restore point refers to, and how often. An incremental's table is its parent's with the
 * differences of the rewritten pages, so it costs what changed.
 */
export class PackTable {
  readonly #groups: Readonly<Record<PackKind, Map<string, Group>>> = { pack: new Map(), map: new Map() };

  addReference(kind: PackKind, name: PackName, delta: number): void {
    const page = pageOf(this.#group(kind, name), name.number);
    const at = placeOf(name.number);
    const references = page[at]! + delta;
    if (references < 0) throw new GarrisonError("internal", `the pack table counts below zero in ${kind}`);
    page[at] = references;
  }

  /** Notes a pack's size and number of items, and the epoch of its lane. */
  describe(
    kind: PackKind,
    name: PackName,
    facts: { readonly items: number; readonly sizeBytes: number; readonly epoch?: number },
  ): void {
    const group = this.#group(kind, name);
    if (facts.epoch !== undefined) group.epoch = facts.epoch;
    const page = pageOf(group, name.number);
    const at = placeOf(name.number);
    page[at + 1] = facts.items;
    page[at + 2] = facts.sizeBytes;
  }

  find(kind: PackKind, name: PackName): PackUse | undefined {
    const group = this.#groups[kind].get(name.session + name.lane);
    const page = group?.pages.get(Math.floor(name.number / packsEach));
    return page === undefined ? undefined : useOf(kind, group!, name.number);
  }

  /** All references to packs of a kind. */
  references(kind: PackKind): number {
    let sum = 0;
    for (const use of this.uses(kind)) sum += use.references;
    return sum;
  }

  /** The packs of each lane that are referred to, in the order of their names. */
  *lanes(kind: PackKind): Generator<LaneUses> {
    for (const key of [...this.#groups[kind].keys()].sort()) {
      const group = this.#groups[kind].get(key)!;
      const { session, lane, epoch } = group;
      let packs = 0;
      for (const _ of usesOf(kind, group)) packs++;
      if (packs > 0) yield { session, lane, epoch, packs, uses: () => usesOf(kind, group) };
    }
  }

  /** Packs that are referred to, in the order of their names. */
  *uses(kind: PackKind): Generator<PackUse> {
    for (const lane of this.lanes(kind)) yield* lane.uses();
  }

  #group(kind: PackKind, name: PackName): Group {
    const key = name.session + name.lane;
    let group = this.#groups[kind].get(key);
    if (group === undefined) {
      group = { session: name.session, lane: name.lane, epoch: 0, pages: new Map() };
      this.#groups[kind].set(key, group);
    }
    return group;
  }
}

function* usesOf(kind: PackKind, group: Group): Generator<PackUse> {
  for (const at of [...group.pages.keys()].sort((left, right) => left - right)) {
    const page = group.pages.get(at)!;
    for (let slot = 0; slot < packsEach; slot++) {
      if (page[slot * factsEach]! > 0) yield useOf(kind, group, at * packsEach + slot);
    }
  }
}

/** Where the three numbers of a pack are in its page. */
function placeOf(number: number): number {
  return (number % packsEach) * factsEach;
}

function pageOf(group: Group, number: number): Uint32Array {
  const at = Math.floor(number / packsEach);
  let page = group.pages.get(at);
  if (page === undefined) {
    page = new Uint32Array(packsEach * factsEach);
    group.pages.set(at, page);
  }
  return page;
}

function useOf(kind: PackKind, group: Group, number: number): PackUse {
  const page = pageOf(group, number);
  const at = placeOf(number);
  const { session, lane, epoch } = group;
  const [references, items, sizeBytes] = [page[at]!, page[at + 1]!, page[at + 2]!];
  return { kind, session, lane, epoch, number, references, items, sizeBytes };
}

const sections: readonly PackKind[] = ["pack", "map"];

/** Sorted, packs by the distance to the one before, numbers in as few bytes as they need. */
export function encodePackTable(table: PackTable): Uint8Array {
  const writer = new ByteWriter(4096).u8(formatVersion);
  for (const kind of sections) {
    const lanes = [...table.lanes(kind)];
    writer.varint(lanes.length);
    for (const lane of lanes) writeLane(writer, lane);
  }
  return writer.finish();
}

/** Use by use: a first backup of a large volume has half a million packs in one lane. */
function writeLane(writer: ByteWriter, { session, lane, epoch, packs, uses }: LaneUses): void {
  if (epoch < firstEpoch) throw new GarrisonError("internal", `no epoch is known of session ${session}`);
  writer.hex(session).hex(lane).u16(epoch).varint(packs);
  let next = 0;
  for (const use of uses()) {
    writer
      .varint(use.number - next)
      .varint(use.references)
      .varint(use.items)
      .varint(use.sizeBytes);
    next = use.number + 1;
  }
}

const maxPackNumber = 2 ** 24;
const maxCount = 2 ** 32 - 1;

export function decodePackTable(bytes: Uint8Array, what: string): PackTable {
  const table = new PackTable();
  for (const use of readPackTable(bytes, what)) {
    table.addReference(use.kind, use, use.references);
    table.describe(use.kind, use, use);
  }
  return table;
}

/**
 * The packs that an encoded table tells of, one after the other and in its order, without holding them: of a volume of 64
 * TiB there are two millions. What is wrong with the table is thrown when it is reached.
 */
export function* readPackTable(bytes: Uint8Array, what: string): Generator<PackUse> {
  const reader = new ByteReader(bytes, what);
  reader.expect(reader.u8(), formatVersion, "the table version");
  for (const kind of sections) {
    const lanes = new Set<string>();
    for (let groups = reader.varint(); groups > 0; groups--) yield* readGroup(reader, kind, lanes);
  }
  reader.end();
}

function* readGroup(reader: ByteReader, kind: PackKind, lanes: Set<string>): Generator<PackUse> {
  const row = { session: reader.hex(8), lane: reader.hex(4) };
  const epoch = reader.u16();
  if (epoch < firstEpoch || epoch > maxEpochs) throw reader.malformed(`there is no epoch ${epoch}`);
  if (lanes.has(row.session + row.lane)) throw reader.malformed("a lane comes twice");
  lanes.add(row.session + row.lane);
  let number = 0;
  for (let packs = reader.varint(); packs > 0; packs--) {
    number += reader.varint();
    if (number > maxPackNumber) throw reader.malformed("a pack number is too large");
    const [references, items, sizeBytes] = [reader.varint(), reader.varint(), reader.varint()];
    if (Math.max(references, items, sizeBytes) > maxCount) throw reader.malformed("a number is too large");
    yield { kind, ...row, epoch, number, references, items, sizeBytes };
    number++;
  }
}
