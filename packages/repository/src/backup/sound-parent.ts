import { GarrisonError } from "@garrison/core/garrison-error";
import { blockSizeBytes } from "../disk/block-source.ts";
import { interiorBlocks, interiorEntries, leafEntries } from "../format/format-limits.ts";
import type { Leaf } from "../format/leaf-page.ts";
import { decodePackTable, encodePackTable, PackTable } from "../format/pack-table.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import { walkChanges, type ChangedPage } from "../point/walk-changes.ts";
import { openParentReader } from "./parent-reader.ts";
import { appendRun, type BlockRun } from "../repair/block-runs.ts";
import { packOf, type LostItems } from "../repair/lost-items.ts";
import type { StoreCall } from "../store/object-store.ts";

/** The volume of a parent restore point without what is lost of it. */
export interface SoundParent extends VolumeReader {
  /** Blocks whose bytes the parent does not give any more, ascending: they have to be read, listed or not. */
  readonly lostBlocks: readonly BlockRun[];
}

/**
 * Shows a parent as if it had never held what is lost: lost blocks and pages are left out, so that nothing refers to them
 * again and what is read at their place is stored anew; its table counts the rest. When nothing of the volume is lost this
 * costs a look at its table, and nothing at all when nothing is known to be lost.
 */
export async function openSoundParent(
  reader: VolumeReader,
  lost: LostItems,
  call: StoreCall,
): Promise<SoundParent> {
  const isHit = !lost.isEmpty && mentionsLost(await openParentReader(reader).table(), lost);
  if (!isHit) return { ...reader, lostBlocks: [] };
  return maskLosses(reader, await findLosses(reader, lost, call));
}

function mentionsLost(table: PackTable, lost: LostItems): boolean {
  for (const pack of lost.packs()) if ((table.find(pack.kind, pack)?.references ?? 0) > 0) return true;
  return false;
}

interface FoundLosses {
  readonly lost: LostItems;
  readonly slots: Set<number>;
  readonly leaves: Set<number>;
  readonly blocks: BlockRun[];
  /** What the pages that are there refer to. */
  readonly count: PackTable;
}

async function findLosses(reader: VolumeReader, lost: LostItems, call: StoreCall): Promise<FoundLosses> {
  const found = {
    lost,
    slots: new Set<number>(),
    leaves: new Set<number>(),
    blocks: [],
    count: new PackTable(),
  };
  const knownLoss = (reference: ItemAddress) =>
    lost.has("map", reference) ? new GarrisonError("page-damaged", "the page is lost") : undefined;
  for await (const page of walkChanges({ reader, before: undefined, knownLoss }, call)) addPage(found, page);
  return found;
}

function addPage(found: FoundLosses, page: ChangedPage): void {
  const { level, number, reference, failure } = page;
  if (failure !== undefined) {
    const below = level === 1 ? interiorBlocks : leafEntries;
    (level === 1 ? found.slots : found.leaves).add(number);
    appendRun(found.blocks, { first: number * below, count: below });
    return;
  }
  if (reference !== undefined) found.count.addReference("map", packOf("map", reference), 1);
  for (const [slot, address] of page.leaf?.entries() ?? []) {
    if (address === undefined) continue;
    if (!found.lost.has("pack", address)) found.count.addReference("pack", packOf("pack", address), 1);
    else appendRun(found.blocks, { first: number * leafEntries + slot, count: 1 });
  }
}

async function maskLosses(reader: VolumeReader, found: FoundLosses): Promise<SoundParent> {
  const { slots, leaves, lost, count } = found;
  const table = encodePackTable(describe(count, await reader.table()));
  const isLostLeaf = (leaf: number) => leaves.has(leaf) || slots.has(Math.floor(leaf / interiorEntries));
  const blocks = Math.ceil(reader.volume.sizeBytes / blockSizeBytes);
  return {
    ...reader,
    volume: {
      ...reader.volume,
      root: reader.volume.root.map((page, slot) => (slots.has(slot) ? undefined : page)),
    },
    lostBlocks: found.blocks.map(({ first, count }) => ({ first, count: Math.min(count, blocks - first) })),
    async interior(slot) {
      const page = slots.has(slot) ? undefined : await reader.interior(slot);
      return page?.map((child, at) => (leaves.has(slot * interiorEntries + at) ? undefined : child));
    },
    leafReference: async (leaf) => (isLostLeaf(leaf) ? undefined : reader.leafReference(leaf)),
    leaf: async (leaf) => (isLostLeaf(leaf) ? undefined : withoutLost(await reader.leaf(leaf), lost)),
    table: async () => decodePackTable(table, `the pack table of ${reader.volume.volumeId}`),
  };
}

/** Sizes and items of the packs as the parent's own table tells them. */
function describe(count: PackTable, table: PackTable): PackTable {
  for (const kind of ["pack", "map"] as const) {
    for (const use of count.uses(kind)) {
      const facts = table.find(kind, use);
      if (facts !== undefined) count.describe(kind, use, facts);
    }
  }
  return count;
}

function withoutLost(leaf: Leaf | undefined, lost: LostItems): Leaf | undefined {
  return leaf?.map((address) => (address !== undefined && lost.has("pack", address) ? undefined : address));
}
