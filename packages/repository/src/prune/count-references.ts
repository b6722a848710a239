import { mapConcurrent } from "@garrison/core/map-concurrent";
import { interiorEntries } from "../format/format-limits.ts";
import type { Interior } from "../format/interior-page.ts";
import type { Leaf } from "../format/leaf-page.ts";
import type { PackKind } from "../format/object-names.ts";
import { isSameAddress, type ItemAddress } from "../format/page-reference.ts";
import type { VolumeReader } from "../point/volume-reader.ts";
import type { StoreCall } from "../store/object-store.ts";

/** Told of each entry that a map has and the one before had not (+1), or the other way round (-1). */
export type ReferenceListener = (kind: PackKind, address: ItemAddress, difference: 1 | -1) => void;

export interface CountedVolume {
  readonly reader: VolumeReader;
  /** What both refer to at the same place is passed over. */
  readonly before: VolumeReader | undefined;
  /** Whether leaves are opened, or only referred to. */
  readonly withLeaves: boolean;
}

/** What is at one place of the map, and of the one before. */
interface Pair<Thing> {
  readonly now: Thing | undefined;
  readonly old: Thing | undefined;
}

const leavesAtOnce = 8;

/**
 * Walks the pages in which two maps of a volume differ; all of them, without a map before. It shares no code with the
 * writer that made the pack table. Throws what is wrong with a page.
 */
export async function countReferences(
  volume: CountedVolume,
  listener: ReferenceListener,
  call: StoreCall,
): Promise<void> {
  const { reader, before } = volume;
  const slots = Math.max(reader.volume.root.length, before?.volume.root.length ?? 0);
  for (let slot = 0; slot < slots; slot++) {
    const roots = { now: reader.volume.root[slot], old: before?.volume.root[slot] };
    if (isSameAddress(roots.now, roots.old)) continue;
    tell(listener, "map", roots);
    const pages = {
      now: roots.now === undefined ? undefined : await reader.interior(slot),
      old: roots.old === undefined ? undefined : await before!.interior(slot),
    };
    await countChildren({ ...volume, slot, pages }, listener, call);
  }
}

async function countChildren(
  volume: CountedVolume & {
    readonly slot: number;
    readonly pages: Pair<Interior>;
  },
  listener: ReferenceListener,
  call: StoreCall,
): Promise<void> {
  const { reader, before, pages, slot } = volume;
  const changed: number[] = [];
  for (let child = 0; child < interiorEntries; child++) {
    const leaves = { now: pages.now?.[child], old: pages.old?.[child] };
    if (isSameAddress(leaves.now, leaves.old)) continue;
    tell(listener, "map", leaves);
    changed.push(child);
  }
  if (!volume.withLeaves) return;
  const options = { concurrency: leavesAtOnce, signal: call.signal };
  const read = async (child: number) => {
    const number = slot * interiorEntries + child;
    return {
      now: pages.now?.[child] === undefined ? undefined : await reader.leaf(number),
      old: pages.old?.[child] === undefined ? undefined : await before!.leaf(number),
    };
  };
  for await (const leaves of mapConcurrent(changed, options, read)) countEntries(leaves, listener);
}

function countEntries(leaves: Pair<Leaf>, listener: ReferenceListener): void {
  const entries = Math.max(leaves.now?.length ?? 0, leaves.old?.length ?? 0);
  for (let entry = 0; entry < entries; entry++) {
    const chunks = { now: leaves.now?.[entry], old: leaves.old?.[entry] };
    if (!isSameAddress(chunks.now, chunks.old)) tell(listener, "pack", chunks);
  }
}

function tell(listener: ReferenceListener, kind: PackKind, { now, old }: Pair<ItemAddress>): void {
  if (old !== undefined) listener(kind, old, -1);
  if (now !== undefined) listener(kind, now, 1);
}
