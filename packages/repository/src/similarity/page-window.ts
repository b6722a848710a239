import { leafEntries } from "../format/format-limits.ts";
import type { Leaf } from "../format/leaf-page.ts";
import type { ChunkAddress } from "../format/page-reference.ts";
import { readLeaf, type PageReaderDependencies } from "../point/page-reader.ts";
import type { SessionBase } from "../format/session-objects.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import { IdTable } from "./id-table.ts";

/** A volume of another point, whose leaves are read. */
export interface PagedVolume {
  readonly point: SessionBase;
  readonly reader: VolumeReader;
}

/** Where another point holds a block. */
export interface FoundBlock {
  readonly volume: PagedVolume;
  /** The block's place in that volume. */
  readonly block: number;
  readonly address: ChunkAddress;
}

interface LoadedPage {
  readonly volume: PagedVolume;
  readonly number: number;
  readonly leaf: Leaf;
}

/** Some 8 MiB of leaves; a full window lets a quarter go at once, because what is left is indexed anew. */
const maxPages = 64;
const keptPages = 48;

/** Leaves of other points, read lately, and what they hold by id. */
export class PageWindow {
  readonly #dependencies: PageReaderDependencies;
  readonly #call: StoreCall;
  readonly #table = IdTable.withRoomFor(maxPages * leafEntries);
  readonly #reads = new Map<string, Promise<LoadedPage | undefined>>();
  #pages: LoadedPage[] = [];
  #read = 0;

  constructor(dependencies: PageReaderDependencies, call: StoreCall) {
    this.#dependencies = dependencies;
    this.#call = call;
  }

  /** For threads: whether an id is in one of the leaves. */
  get table(): IdTable {
    return this.#table;
  }

  /** Leaves read so far. */
  get pagesRead(): number {
    return this.#read;
  }

  isLoaded(volume: PagedVolume, leaf: number): boolean {
    return this.#reads.has(keyOf(volume, leaf));
  }

  /** Reads a leaf unless it is there; whoever asks meanwhile waits for the same read. */
  async load(volume: PagedVolume, leaf: number): Promise<void> {
    const key = keyOf(volume, leaf);
    const known = this.#reads.get(key);
    const read = known ?? this.#readPage(volume, leaf);
    if (known === undefined) this.#reads.set(key, read);
    try {
      await read;
    } catch (error) {
      this.#reads.delete(key);
      throw error;
    }
  }

  find(id: Uint8Array): FoundBlock | undefined {
    const value = this.#table.find(id);
    if (value === undefined) return undefined;
    return foundAt(this.#pages[Math.floor(value / leafEntries)], value % leafEntries, id);
  }

  /** The block at a place of a volume, if its leaf is there and it has this id. */
  findAt(volume: PagedVolume, block: number, id: Uint8Array): FoundBlock | undefined {
    const number = Math.floor(block / leafEntries);
    const page = this.#pages.find((each) => each.number === number && each.volume === volume);
    return foundAt(page, block % leafEntries, id);
  }

  async #readPage(volume: PagedVolume, number: number): Promise<LoadedPage | undefined> {
    this.#read++;
    const { reader } = volume;
    const address = await reader.leafReference(number);
    if (address === undefined) return undefined;
    const wanted = { volume: reader.place, address, leaf: number };
    const page = { volume, number, leaf: await readLeaf(this.#dependencies, wanted, this.#call) };
    if (this.#pages.length === maxPages) this.#letOldestGo();
    this.#pages.push(page);
    this.#index(this.#pages.length - 1);
    return page;
  }

  #letOldestGo(): void {
    for (const page of this.#pages.slice(0, maxPages - keptPages))
      this.#reads.delete(keyOf(page.volume, page.number));
    this.#pages = this.#pages.slice(maxPages - keptPages);
    this.#table.clear();
    for (const position of this.#pages.keys()) this.#index(position);
  }

  #index(position: number): void {
    for (const [slot, entry] of this.#pages[position]!.leaf.entries()) {
      if (entry !== undefined) this.#table.add(entry.id, position * leafEntries + slot);
    }
  }
}

function foundAt(page: LoadedPage | undefined, slot: number, id: Uint8Array): FoundBlock | undefined {
  const address = page?.leaf[slot];
  if (page === undefined || address === undefined || Buffer.compare(address.id, id) !== 0) return undefined;
  return { volume: page.volume, block: page.number * leafEntries + slot, address };
}

function keyOf(volume: PagedVolume, leaf: number): string {
  return `${volume.point.session}/${volume.reader.place.volumeId}/${leaf}`;
}
