import type { ForwardName, PackKind, PackName } from "../format/object-names.ts";
import type { PackUse } from "../format/pack-table.ts";
import type { StoredObject } from "../store/object-store.ts";
import { SortedRows } from "./sorted-rows.ts";

/** What a window knows of a pack when all roots have been asked. */
export interface WindowPack extends PackName {
  readonly kind: PackKind;
  /** 0: it is not listed, only forwards speak of it. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly items: number;
  /** Upper estimate of its items that roots refer to; 0 means none does. */
  readonly references: number;
  readonly forwards: readonly ForwardName[];
}

interface LaneName {
  readonly session: string;
  readonly lane: string;
}

// Columns of a pack: its number, size, age in seconds, items, references, references of the volume being counted.
const packColumns = 6;
const [sizeAt, secondsAt, itemsAt, referencesAt, volumeAt] = [1, 2, 3, 4, 5];
// Columns of a forward: the number of the pack, where it leads to.
const forwardColumns = 3;
const [targetLaneAt, targetAt] = [1, 2];

/** Packs of one lane that are listed or that forwards speak of, in ascending order. */
interface Lane extends LaneName {
  readonly kind: PackKind;
  readonly packs: SortedRows;
  readonly forwards: SortedRows;
}

/** Missing packs that are told one by one; of more the number is enough. */
const maxMissing = 10_000;

/**
 * A stretch of the sorted listings of packs and of forwards, and what the roots' tables say of it. Nothing is held per
 * chunk, of each pack 24 bytes and of each forward 12, and of the roots only the table that is being read.
 */
export class PackWindow {
  /** Packs after the first place and up to the second one; nothing: from the beginning, to the end. */
  readonly #after: string | undefined;
  #through: string | undefined;
  readonly #lanes = new Map<string, Lane>();
  readonly #targets: LaneName[] = [];
  readonly #targetNumbers = new Map<string, number>();
  readonly #missing = new Map<string, PackUse>();
  #missingMore = 0;
  /** Lanes that the volume mentions which is being counted. */
  readonly #counted = new Set<Lane>();
  #last: { readonly use: PackUse; readonly lane: Lane | undefined; row: number } | undefined;
  #rows = 0;

  constructor(after: string | undefined) {
    this.#after = after;
  }

  /** Packs and forwards that it holds. */
  get size(): number {
    return this.#rows;
  }

  /** Packs behind this place belong to the next window. */
  end(through: string): void {
    this.#through = through;
  }

  addPack(name: PackName & { readonly kind: PackKind }, object: StoredObject): void {
    const { packs } = this.#laneOf(name);
    const row = this.#rowOf(packs, name.number);
    packs.set(row, sizeAt, object.sizeBytes);
    packs.set(row, secondsAt, Math.floor(object.modifiedMs / 1000));
  }

  addForward(forward: ForwardName): void {
    const { packs, forwards } = this.#laneOf({ ...forward.origin, kind: forward.kind });
    this.#rowOf(packs, forward.origin.number);
    const row = forwards.append(forward.origin.number);
    forwards.set(row, targetLaneAt, this.#targetLane(forward.target));
    forwards.set(row, targetAt, forward.target.number);
    this.#rows++;
  }

  /** Counts references of one volume; packs that are neither listed nor forwarded are noted as missing. */
  mention(use: PackUse): void {
    if (use.references === 0 || !this.#includes(use)) return;
    const { lane, row } = this.#find(use);
    if (lane === undefined || row < 0) return this.#miss(use);
    const { packs } = lane;
    this.#counted.add(lane);
    packs.set(row, volumeAt, Math.max(packs.get(row, volumeAt), use.references));
    packs.set(row, itemsAt, Math.max(packs.get(row, itemsAt), use.items));
  }

  /**
   * Ends a volume. Of its points the one with most references counts: what a later one refers to in a pack that is not its
   * own is, as a rule, a part of that. Volumes add up.
   */
  endVolume(): void {
    for (const { packs } of this.#counted) {
      for (let row = 0; row < packs.length; row++) {
        packs.set(row, referencesAt, packs.get(row, referencesAt) + packs.get(row, volumeAt));
        packs.set(row, volumeAt, 0);
      }
    }
    this.#counted.clear();
  }

  missing(): Iterable<PackUse> {
    return this.#missing.values();
  }

  /** Times that a missing pack was mentioned for which there was no room any more. */
  get missingMore(): number {
    return this.#missingMore;
  }

  /** All packs that are listed or that forwards speak of, those of a lane in the order of their names. */
  *entries(): Generator<WindowPack> {
    for (const lane of this.#lanes.values()) {
      let forward = 0;
      for (let row = 0; row < lane.packs.length; row++) {
        const forwards = this.#forwardsFrom(lane, forward, lane.packs.get(row, 0));
        forward += forwards.length;
        yield entryOf(lane, row, forwards);
      }
    }
  }

  #includes(use: PackUse): boolean {
    if (this.#after === undefined && this.#through === undefined) return true;
    const place = placeOf(use);
    const isAfter = this.#after === undefined || place > this.#after;
    return isAfter && (this.#through === undefined || place <= this.#through);
  }

  /** Packs of a table come in the order of their names: the next one is, as a rule, in the next row. */
  #find(use: PackUse): { readonly lane: Lane | undefined; readonly row: number } {
    const last = this.#last;
    const isSame =
      last !== undefined &&
      last.use.lane === use.lane &&
      last.use.session === use.session &&
      last.use.kind === use.kind;
    const place = isSame ? last : { use, lane: this.#lanes.get(laneKey(use)), row: -1 };
    const packs = place.lane?.packs;
    if (packs !== undefined) {
      const next = place.row + 1;
      place.row = next < packs.length && packs.get(next, 0) === use.number ? next : packs.find(use.number);
    }
    this.#last = place;
    return place;
  }

  #miss(use: PackUse): void {
    const key = `${laneKey(use)}${use.number}`;
    if (this.#missing.size < maxMissing) this.#missing.set(key, use);
    else if (!this.#missing.has(key)) this.#missingMore++;
  }

  #forwardsFrom({ kind, session, lane, forwards }: Lane, from: number, number: number): ForwardName[] {
    const found: ForwardName[] = [];
    for (let row = from; row < forwards.length && forwards.get(row, 0) === number; row++) {
      const target = {
        ...this.#targets[forwards.get(row, targetLaneAt)]!,
        number: forwards.get(row, targetAt),
      };
      found.push({ kind, origin: { session, lane, number }, target });
    }
    return found;
  }

  #laneOf({ kind, session, lane: id }: LaneName & { readonly kind: PackKind }): Lane {
    const key = laneKey({ kind, session, lane: id });
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      const [packs, forwards] = [new SortedRows(packColumns), new SortedRows(forwardColumns)];
      lane = { kind, session, lane: id, packs, forwards };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** A pack and its forwards come one after the other, and share a row. */
  #rowOf(packs: SortedRows, number: number): number {
    const last = packs.length - 1;
    if (last >= 0 && packs.get(last, 0) === number) return last;
    this.#rows++;
    return packs.append(number);
  }

  #targetLane({ session, lane }: LaneName): number {
    const key = session + lane;
    const known = this.#targetNumbers.get(key);
    if (known !== undefined) return known;
    this.#targetNumbers.set(key, this.#targets.length);
    return this.#targets.push({ session, lane }) - 1;
  }
}

function entryOf(
  { kind, session, lane, packs }: Lane,
  row: number,
  forwards: readonly ForwardName[],
): WindowPack {
  return {
    kind,
    session,
    lane,
    number: packs.get(row, 0),
    sizeBytes: packs.get(row, sizeAt),
    modifiedMs: packs.get(row, secondsAt) * 1000,
    items: packs.get(row, itemsAt),
    references: packs.get(row, referencesAt),
    forwards,
  };
}

function laneKey(name: LaneName & { readonly kind: PackKind }): string {
  return `${name.kind}${name.session}${name.lane}`;
}

/** Sorts like the pack's name in the listing of its kind. */
export function placeOf(name: PackName): string {
  return `${name.session}/${name.lane}-${name.number.toString(16).padStart(8, "0")}`;
}
