import { GarrisonError } from "@garrison/core/garrison-error";
import { interiorBlocks, interiorEntries, leafEntries } from "../format/format-limits.ts";
import type { PackAddress } from "../format/pack-container.ts";
import type { PackTable } from "../format/pack-table.ts";
import type { ItemAddress, PageReference } from "../format/page-reference.ts";
import { isDamage } from "../point/is-damage.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import { walkChanges, type ChangedPage } from "../point/walk-changes.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { BlockRun } from "./block-runs.ts";
import { packOf, type LostItems } from "./lost-items.ts";

/** What a volume loses with one item. */
export interface ItemLoss {
  readonly pack: PackAddress;
  readonly item: ItemAddress;
  readonly run: BlockRun;
}

/** All that a volume of a point has lost of its map and its blocks. */
export interface VolumeLosses {
  readonly reader: VolumeReader;
  /** By leaf; what a lost inner page covers stands under the first leaf of it. */
  readonly byLeaf: ReadonlyMap<number, readonly ItemLoss[]>;
}

export interface LossSearch {
  readonly reader: VolumeReader;
  readonly lost: LostItems;
  /** The same volume of an older point: what both share is taken from there. */
  readonly before?: VolumeLosses | undefined;
  /** A page turned out to be damaged that was not known to be. */
  readonly onDamage?: (pack: PackAddress, reference: PageReference, failure: GarrisonError) => void;
}

/**
 * Finds out which blocks of a volume are hit by what is lost. A volume whose table mentions no such pack is not walked, and
 * of the others only what differs from the point before.
 */
export async function findLosses(search: LossSearch, call: StoreCall): Promise<VolumeLosses> {
  const { reader, before, lost } = search;
  if (!(await mayBeHit(search))) return { reader, byLeaf: new Map() };
  const losses = new Map(before?.byLeaf);
  const knownLoss = (reference: ItemAddress) =>
    lost.has("map", reference) ? new GarrisonError("page-damaged", "the page is lost") : undefined;
  for await (const page of walkChanges({ reader, before: before?.reader, knownLoss }, call)) {
    if (page.level === 1) settleInterior(search, page, losses);
    else settleLeaf(search, page, losses);
  }
  return { reader, byLeaf: losses };
}

/** Whether the volume's table mentions a pack that has lost something; one that can't be read may. */
async function mayBeHit({ reader, before, lost }: LossSearch): Promise<boolean> {
  if (lost.isEmpty) return false;
  if (before !== undefined && before.byLeaf.size > 0) return true;
  const table: PackTable | undefined = await reader.table().catch((error: unknown) => {
    if (!isDamage(error)) throw error;
    return undefined;
  });
  if (table === undefined) return true;
  for (const pack of lost.packs()) {
    if ((table.find(pack.kind, pack)?.references ?? 0) > 0) return true;
  }
  return false;
}

type MutableLosses = Map<number, readonly ItemLoss[]>;

function settleInterior(search: LossSearch, page: ChangedPage, losses: MutableLosses): void {
  const first = page.number * interiorEntries;
  if (page.failure === undefined) {
    // What a lost page covered before is told leaf by leaf from here on.
    if (losses.get(first)?.some((loss) => loss.run.count > leafEntries) === true) losses.delete(first);
    return;
  }
  for (let leaf = first; leaf < first + interiorEntries; leaf++) losses.delete(leaf);
  const run = { first: page.number * interiorBlocks, count: interiorBlocks };
  losses.set(first, [lostPage(search, page, run)]);
}

function settleLeaf(search: LossSearch, page: ChangedPage, losses: MutableLosses): void {
  const run = { first: page.number * leafEntries, count: leafEntries };
  const lost = page.failure === undefined ? lostEntries(search, page) : [lostPage(search, page, run)];
  if (lost.length === 0) losses.delete(page.number);
  else losses.set(page.number, lost);
}

function lostPage(search: LossSearch, page: ChangedPage, run: BlockRun): ItemLoss {
  const item = page.reference!;
  const pack = packOf("map", item);
  if (!search.lost.has("map", item)) search.onDamage?.(pack, item, page.failure!);
  return { pack, item, run };
}

function lostEntries(search: LossSearch, page: ChangedPage): readonly ItemLoss[] {
  const lost: ItemLoss[] = [];
  for (const [slot, item] of page.leaf?.entries() ?? []) {
    if (item === undefined || !search.lost.has("pack", item)) continue;
    const run = { first: page.number * leafEntries + slot, count: 1 };
    lost.push({ pack: packOf("pack", item), item, run });
  }
  return lost;
}

/** The lost blocks of a volume, of which the last may lie partly beyond its end. */
export function lostRuns(losses: VolumeLosses): readonly BlockRun[] {
  return [...losses.byLeaf.values()].flatMap((items) => items.map((item) => item.run));
}
