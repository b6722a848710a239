import { interiorBlocks, interiorEntries, itemKinds, leafEntries } from "../../format/format-limits.ts";
import { decodeHooks } from "../../format/hooks.ts";
import { packName, type PackKind } from "../../format/object-names.ts";
import { decodePackTable, PackTable } from "../../format/pack-table.ts";
import type { ChunkAddress, ItemAddress } from "../../format/page-reference.ts";
import type { PointRecord, RecordVolume } from "../../format/point-record.ts";
import type { DomainKeys } from "../../keys/keys.ts";
import type { ContentIds } from "../world/content-ids.ts";
import { Violation } from "../world/violation.ts";
import type { Reach, ReachedItem } from "./model-point.ts";
import type { PackShelf } from "./pack-shelf.ts";

/** The blocks of a volume by index: the number of the content that each holds. Blocks that are not there are zero. */
export type VolumeContents = ReadonlyMap<number, number>;

export interface WalkOptions {
  readonly keys: DomainKeys;
  readonly shelf: PackShelf;
  readonly contentIds: ContentIds;
  /** The series' keyed hash. */
  readonly series: string;
  readonly record: PointRecord;
  /** By volume id. */
  readonly expected: ReadonlyMap<string, VolumeContents>;
}

/**
 * Reads a record's maps from the packs as they were stored and compares them with what was on the disks: every block has
 * the right chunk and nothing else is there, and each pack table counts what the pages hold. Answers all that is named.
 */
export function walkRecord(options: WalkOptions): Reach {
  const walk = new RecordWalk(options);
  for (const volume of options.record.volumes) walk.volume(volume);
  return walk.reach;
}

class RecordWalk {
  readonly reach = new Map<string, Map<number, ReachedItem>>();
  readonly #options: WalkOptions;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  volume(volume: RecordVolume): void {
    const { shelf, series } = this.#options;
    const recount = new PackTable();
    const found = new Map<number, ChunkAddress>();
    for (const [slot, child] of volume.root.entries()) {
      if (child === undefined) continue;
      this.#reaches("map", child, recount);
      const place = { series, volumeId: volume.volumeId, position: slot * interiorBlocks };
      for (const [at, leaf] of shelf.interiorAt(child, place).entries()) {
        if (leaf === undefined) continue;
        this.#reaches("map", leaf, recount);
        this.#leaf(volume, { address: leaf, number: slot * interiorEntries + at, recount, found });
      }
    }
    this.#compare(volume, found);
    this.#compareTable(volume, recount);
    this.#hooks(volume);
  }

  #leaf(
    volume: RecordVolume,
    leaf: {
      readonly address: ItemAddress;
      readonly number: number;
      readonly recount: PackTable;
      readonly found: Map<number, ChunkAddress>;
    },
  ): void {
    const { shelf, series } = this.#options;
    const place = { series, volumeId: volume.volumeId, position: leaf.number * leafEntries };
    for (const [at, entry] of shelf.leafAt(leaf.address, place).entries()) {
      if (entry === undefined) continue;
      this.#reaches("pack", entry, leaf.recount);
      leaf.found.set(leaf.number * leafEntries + at, entry);
    }
  }

  #compare(volume: RecordVolume, found: ReadonlyMap<number, ChunkAddress>): void {
    const { expected, record, contentIds } = this.#options;
    const wanted = expected.get(volume.volumeId);
    if (wanted === undefined)
      throw new Violation(1, `${record.session} holds a volume that nobody backed up`);
    for (const block of new Set([...wanted.keys(), ...found.keys()])) {
      const content = wanted.get(block);
      const entry = found.get(block);
      const id = entry === undefined ? undefined : Buffer.from(entry.id).toString("hex");
      if (id === (content === undefined ? undefined : contentIds.idOf(content))) continue;
      throw new Violation(1, `${record.session} has another content at block ${block} of ${volume.volumeId}`);
    }
  }

  #compareTable(volume: RecordVolume, recount: PackTable): void {
    const plain = this.#parts(volume, volume.tables, itemKinds.table);
    const table = decodePackTable(plain, `the pack table of ${volume.volumeId}`);
    for (const kind of ["pack", "map"] as const) {
      for (const use of [...table.uses(kind), ...recount.uses(kind)]) {
        const noted = table.find(kind, use);
        const counted = recount.find(kind, use)?.references ?? 0;
        const key = packName(this.#options.keys.domain, kind, use);
        if ((noted?.references ?? 0) !== counted) {
          const what = `the table of ${this.#options.record.session} counts ${noted?.references ?? 0}`;
          throw new Violation(6, `${what} references to ${key}, the pages hold ${counted}`);
        }
        const pack = this.#options.shelf.find(kind, { ...use, pack: use.number });
        if (pack?.items.size !== noted?.items || pack?.bytes.length !== noted?.sizeBytes) {
          throw new Violation(6, `the table of ${this.#options.record.session} has ${key} of another size`);
        }
      }
    }
  }

  #hooks(volume: RecordVolume): void {
    decodeHooks(this.#parts(volume, volume.hooks, itemKinds.hooks), `the hooks of ${volume.volumeId}`);
  }

  #parts(volume: RecordVolume, parts: readonly ItemAddress[], kind: 4 | 5): Uint8Array {
    const { shelf, series } = this.#options;
    return Buffer.concat(
      parts.map((address, position) => {
        this.#reaches("map", address, undefined);
        return shelf.pageAt(address, kind, { series, volumeId: volume.volumeId, position });
      }),
    );
  }

  #reaches(kind: PackKind, address: ItemAddress, recount: PackTable | undefined): void {
    const { keys, shelf, record } = this.#options;
    const key = packName(keys.domain, kind, { ...address, number: address.pack });
    if (shelf.itemAt(kind, address) === undefined) {
      throw new Violation(
        4,
        `${record.session} refers to byte ${address.offset} of ${key}, where nothing is`,
      );
    }
    recount?.addReference(kind, { ...address, number: address.pack }, 1);
    const items = this.reach.get(key) ?? new Map<number, ReachedItem>();
    this.reach.set(key, items.set(address.offset, { offset: address.offset, length: address.length }));
  }
}
