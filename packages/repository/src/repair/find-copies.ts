import { interiorEntries, leafEntries } from "../format/format-limits.ts";
import { isSameAddress, type ChunkAddress, type ItemAddress } from "../format/page-reference.ts";
import type { PackKind } from "../format/object-names.ts";
import { isDamage } from "../point/is-damage.ts";
import type { SlotAddress } from "../point/read-slot.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import type { ItemLoss } from "./find-losses.ts";
import { packKey, packOf, type LostItems } from "./lost-items.ts";

/** Another copy of a lost item: its plain bytes are the same, since its id is. */
export interface FoundCopy {
  readonly kind: PackKind;
  readonly lost: ItemAddress;
  readonly copy: ItemAddress;
  /** The point that holds the copy. */
  readonly owner: SlotAddress;
}

/** Lost items of one volume for which copies are looked for: bounded, what finds no room is left to the next repair. */
const maxWanted = 200_000;

/** Looks for copies of a volume's lost items at the same place of other points. */
export class CopySearch {
  readonly found: FoundCopy[] = [];
  readonly #lost: LostItems;
  /** By the leaf in whose range they lie. */
  readonly #wanted = new Map<number, Map<string, ItemLoss>>();
  /** Leaves that have been compared already, by their address. */
  readonly #seen = new Set<string>();
  #count = 0;

  constructor(lost: LostItems) {
    this.#lost = lost;
  }

  want(loss: ItemLoss): void {
    const leaf = Math.floor(loss.run.first / leafEntries);
    const wanted = this.#wanted.get(leaf) ?? new Map<string, ItemLoss>();
    const key = itemKey(loss);
    if (this.#count >= maxWanted || wanted.has(key)) return;
    this.#wanted.set(leaf, wanted.set(key, loss));
    this.#count++;
  }

  get isDone(): boolean {
    return this.#count === 0;
  }

  /** Compares a point's volume; those asked first give the copies. */
  async compare(reader: VolumeReader, owner: SlotAddress): Promise<void> {
    for (const [leaf, wanted] of this.#wanted) {
      for (const [key, loss] of wanted) {
        const copy = await this.#findCopy(reader, { leaf, loss });
        if (copy === undefined) continue;
        this.found.push({ kind: loss.pack.kind, lost: loss.item, copy, owner });
        wanted.delete(key);
        this.#count--;
      }
      if (wanted.size === 0) this.#wanted.delete(leaf);
      await this.#markSeen(reader, leaf);
    }
  }

  async #findCopy(
    reader: VolumeReader,
    wanted: { readonly leaf: number; readonly loss: ItemLoss },
  ): Promise<ItemAddress | undefined> {
    const { pack, item, run } = wanted.loss;
    const candidate =
      pack.kind === "pack"
        ? await this.#chunkAt(reader, run.first)
        : await pageAt(reader, { leaf: wanted.leaf, isLeaf: run.count === leafEntries });
    const isCopy =
      candidate !== undefined &&
      Buffer.compare(candidate.id, item.id) === 0 &&
      !isSameAddress(candidate, item) &&
      !this.#lost.has(pack.kind, candidate);
    if (!isCopy) return undefined;
    const isSound = pack.kind === "pack" || (await canRead(reader, wanted.leaf, run.count === leafEntries));
    return isSound ? candidate : undefined;
  }

  async #chunkAt(reader: VolumeReader, block: number): Promise<ChunkAddress | undefined> {
    const leaf = Math.floor(block / leafEntries);
    const reference = await unlessDamaged(() => reader.leafReference(leaf));
    if (reference === undefined || this.#seen.has(addressKey(reference))) return undefined;
    if (this.#lost.has("map", reference)) return undefined;
    return (await unlessDamaged(() => reader.leaf(leaf)))?.[block % leafEntries];
  }

  async #markSeen(reader: VolumeReader, leaf: number): Promise<void> {
    const reference = await unlessDamaged(() => reader.leafReference(leaf));
    if (reference !== undefined) this.#seen.add(addressKey(reference));
  }
}

function pageAt(
  reader: VolumeReader,
  page: { readonly leaf: number; readonly isLeaf: boolean },
): Promise<ItemAddress | undefined> {
  const { leaf, isLeaf } = page;
  if (isLeaf) return unlessDamaged(() => reader.leafReference(leaf));
  return Promise.resolve(reader.volume.root[Math.floor(leaf / interiorEntries)]);
}

/** A page is opened by reading it; blocks are opened before a forward leads to them. */
async function canRead(reader: VolumeReader, leaf: number, isLeaf: boolean): Promise<boolean> {
  const read = () => (isLeaf ? reader.leaf(leaf) : reader.interior(Math.floor(leaf / interiorEntries)));
  return (await unlessDamaged<unknown>(read)) !== undefined;
}

async function unlessDamaged<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

function itemKey({ pack, item }: ItemLoss): string {
  return `${packKey(pack)}/${item.offset}`;
}

function addressKey(address: ItemAddress): string {
  return `${packKey(packOf("map", address))}/${address.offset}`;
}
