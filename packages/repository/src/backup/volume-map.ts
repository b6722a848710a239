import { interiorBlocks, interiorEntries, itemKinds, leafEntries } from "../format/format-limits.ts";
import { noHooks, type PackedHooks } from "../format/hooks.ts";
import {
  emptyInterior,
  encodeInterior,
  streamBytesBelow,
  type Interior,
  type MutableInterior,
} from "../format/interior-page.ts";
import { encodeLeaf, storedBlocks, streamBytesOf, type Leaf } from "../format/leaf-page.ts";
import { PackTable } from "../format/pack-table.ts";
import { isSameAddress, type ItemAddress, type PageReference } from "../format/page-reference.ts";
import type { PackKind } from "../format/object-names.ts";
import { HookList } from "./hook-list.ts";
import { leafPosition, type VolumePlace } from "../point/page-reader.ts";
import type { PageWriter } from "./page-writer.ts";
import type { VolumeReader } from "../point/volume-reader.ts";

export interface VolumeMapOptions {
  /** Number of the volume in its session. */
  readonly number: number;
  readonly place: VolumePlace;
  readonly pages: PageWriter;
  /** Pages that turn out equal to the parent's are referred to, not written. */
  readonly parent?: VolumeReader;
  /** `changes`: what is not replaced stays as in the parent. `full`: it is zero. */
  readonly coverage: "full" | "changes";
}

export interface FinishedMap {
  readonly root: Interior;
  readonly table: PackTable;
  readonly hooks: PackedHooks;
  readonly blocksHeld: number;
}

/**
 * Builds the map of one volume from leaves in ascending order. Holds one inner page and the root; its pack table is
 * the base's with the differences of the replaced pages.
 */
export class VolumeMap {
  readonly #options: VolumeMapOptions;
  readonly #table: PackTable;
  readonly #hooks: HookList;
  readonly #root: MutableInterior;
  #slot = -1;
  #interior: MutableInterior = emptyInterior();

  private constructor(options: VolumeMapOptions, base: { table: PackTable; hooks: PackedHooks }) {
    this.#options = options;
    this.#table = base.table;
    this.#hooks = new HookList(base.hooks);
    this.#root = [...(this.#base?.volume.root ?? emptyInterior())];
  }

  static async open(options: VolumeMapOptions): Promise<VolumeMap> {
    const base = options.coverage === "changes" ? options.parent : undefined;
    if (base === undefined) return new VolumeMap(options, { table: new PackTable(), hooks: noHooks });
    return new VolumeMap(options, { table: await base.table(), hooks: await base.hooks() });
  }

  /** What the new map starts from: nothing in a full read. */
  get #base(): VolumeReader | undefined {
    return this.#options.coverage === "changes" ? this.#options.parent : undefined;
  }

  /**
   * Replaces a leaf and answers where its page is; nothing when all its blocks are zero. An equal one of the parent is
   * referred to: the one at the same place, in a stream the `twin`.
   */
  async putLeaf(number: number, leaf: Leaf, twin?: PageReference): Promise<PageReference | undefined> {
    const page = await this.#writeLeaf(number, leaf, twin);
    await this.adoptLeaf(number, { leaf, page });
    return page;
  }

  /** Takes over a leaf whose page is stored already. */
  async adoptLeaf(
    number: number,
    adopted: { readonly leaf: Leaf; readonly page: PageReference | undefined },
  ): Promise<void> {
    await this.#enterSlot(Math.floor(number / interiorEntries));
    const before = await this.#base?.leaf(number);
    for (let slot = 0; slot < leafEntries; slot++) this.#count("pack", before?.[slot], adopted.leaf[slot]);
    const child = number % interiorEntries;
    this.#count("map", this.#interior[child], adopted.page);
    this.#interior[child] = adopted.page;
    this.#hooks.replaceLeaf(number, adopted.leaf);
  }

  async finish(): Promise<FinishedMap> {
    await this.#leaveSlot();
    return {
      root: this.#root,
      table: this.#table,
      hooks: this.#hooks.finish(),
      blocksHeld: this.#table.references("pack"),
    };
  }

  async #writeLeaf(number: number, leaf: Leaf, twin?: PageReference): Promise<PageReference | undefined> {
    const { place, pages, parent } = this.#options;
    const count = storedBlocks(leaf);
    if (count === 0) return undefined;
    const plain = encodeLeaf(leaf, place.kind);
    const id = pages.idOf(itemKinds.leaf, plain);
    const below = place.kind === "stream" ? { plainBytes: streamBytesOf(leaf) } : {};
    const old = place.kind === "stream" ? twin : await parent?.leafReference(number);
    if (old !== undefined && isSameId(old, id)) return { ...old, ...below };
    const position = leafPosition(place, number);
    return { ...(await this.#write({ kind: itemKinds.leaf, position, plain, id })), count, ...below };
  }

  async #enterSlot(slot: number): Promise<void> {
    if (slot === this.#slot) return;
    await this.#leaveSlot();
    this.#slot = slot;
    this.#interior = [...((await this.#base?.interior(slot)) ?? emptyInterior())];
  }

  async #leaveSlot(): Promise<void> {
    if (this.#slot < 0) return;
    const before = this.#root[this.#slot];
    const page = await this.#writeInterior();
    this.#count("map", before, page);
    this.#root[this.#slot] = page;
  }

  async #writeInterior(): Promise<PageReference | undefined> {
    const count = this.#interior.filter((child) => child !== undefined).length;
    if (count === 0) return undefined;
    const { place } = this.#options;
    const plain = encodeInterior(1, this.#interior, place.kind);
    const id = this.#options.pages.idOf(itemKinds.interior, plain);
    const old = this.#options.parent?.volume.root[this.#slot];
    if (old !== undefined && isSameId(old, id)) return old;
    const position = this.#slot * interiorBlocks;
    const below = place.kind === "stream" ? { plainBytes: streamBytesBelow(this.#interior) } : {};
    return { ...(await this.#write({ kind: itemKinds.interior, position, plain, id })), count, ...below };
  }

  #write(page: { kind: 2 | 3; position: number; plain: Uint8Array; id: Uint8Array }): Promise<ItemAddress> {
    return this.#options.pages.write(this.#options.place, { ...page, volume: this.#options.number });
  }

  #count(kind: PackKind, before: ItemAddress | undefined, after: ItemAddress | undefined): void {
    if (isSameAddress(before, after)) return;
    if (before !== undefined) this.#table.addReference(kind, nameOf(before), -1);
    if (after !== undefined) this.#table.addReference(kind, nameOf(after), 1);
  }
}

function nameOf(address: ItemAddress) {
  return { session: address.session, lane: address.lane, number: address.pack };
}

function isSameId(old: PageReference, id: Uint8Array): boolean {
  return Buffer.compare(old.id, id) === 0;
}
