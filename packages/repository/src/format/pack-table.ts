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

interface Group {
  readonly session: string;
  readonly lane: string;
  epoch: number;
  /** Three numbers a pack: references, items, size. 12 bytes, because a large volume has half a million packs. */
  facts: Uint32Array;
  length: number;
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
    const group = this.#group(kind, name);
    const at = name.number * 3;
    const references = group.facts[at]! + delta;
    if (references < 0) throw new GarrisonError("internal", `the pack table counts below zero in ${kind}`);
    group.facts[at] = references;
  }

  /** Notes a pack's size and number of items, and the epoch of its lane. */
  describe(
    kind: PackKind,
    name: PackName,
    facts: { readonly items: number; readonly sizeBytes: number; readonly epoch?: number },
  ): void {
    const group = this.#group(kind, name);
    if (facts.epoch !== undefined) group.epoch = facts.epoch;
    group.facts[name.number * 3 + 1] = facts.items;
    group.facts[name.number * 3 + 2] = facts.sizeBytes;
  }

  find(kind: PackKind, name: PackName): PackUse | undefined {
    const group = this.#groups[kind].get(name.session + name.lane);
    return group === undefined || name.number >= group.length ? undefined : useOf(kind, group, name.number);
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
      group = { session: name.session, lane: name.lane, epoch: 0, facts: new Uint32Array(48), length: 0 };
      this.#groups[kind].set(key, group);
    }
    if (name.number * 3 + 3 > group.facts.length) {
      const larger = new Uint32Array(Math.max(group.facts.length * 2, name.number * 3 + 48));
      larger.set(group.facts);
      group.facts = larger;
    }
    group.length = Math.max(group.length, name.number + 1);
    return group;
  }
}

function* usesOf(kind: PackKind, group: Group): Generator<PackUse> {
  for (let number = 0; number < group.length; number++) {
    if (group.facts[number * 3]! > 0) yield useOf(kind, group, number);
  }
}

function useOf(kind: PackKind, group: Group, number: number): PackUse {
  const [references, items, sizeBytes] = group.facts.subarray(number * 3, number * 3 + 3);
  const { session, lane, epoch } = group;
  return {
    kind,
    session,
    lane,
    epoch,
    number,
    references: references!,
    items: items!,
    sizeBytes: sizeBytes!,
  };
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

export function decodePackTable(bytes: Uint8Array, what: string): PackTable {
  const reader = new ByteReader(bytes, what);
  const table = new PackTable();
  reader.expect(reader.u8(), formatVersion, "the table version");
  for (const kind of sections) {
    for (let groups = reader.varint(); groups > 0; groups--) readGroup(reader, kind, table);
  }
  reader.end();
  return table;
}

function readGroup(reader: ByteReader, kind: PackKind, table: PackTable): void {
  const row = { session: reader.hex(8), lane: reader.hex(4) };
  const epoch = reader.u16();
  if (epoch < firstEpoch || epoch > maxEpochs) throw reader.malformed(`there is no epoch ${epoch}`);
  let number = 0;
  for (let packs = reader.varint(); packs > 0; packs--) {
    number += reader.varint();
    if (number > maxPackNumber) throw reader.malformed("a pack number is too large");
    const name = { ...row, number };
    table.addReference(kind, name, reader.varint());
    table.describe(kind, name, { items: reader.varint(), sizeBytes: reader.varint(), epoch });
    number++;
  }
}
