import { blockSizeBytes } from "../disk/block-source.ts";
import { interiorEntries, leafEntries } from "../format/format-limits.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import type { VolumeReader } from "./volume-reader.ts";

/** Bytes in which two volumes differ. */
export interface ChangedRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Where the second volume differs from the first, in whole blocks (the last one ends with the volume), ascending and
 * joined; what only the larger one has counts as changed. Reads maps only, and of these only pages that differ: equal
 * content has equal ids.
 */
export async function* diffVolumes(before: VolumeReader, after: VolumeReader): AsyncGenerator<ChangedRange> {
  const sizeBytes = Math.max(before.volume.sizeBytes, after.volume.sizeBytes);
  const common = Math.min(before.volume.sizeBytes, after.volume.sizeBytes);
  let open: { offset: number; end: number } | undefined;
  for await (const block of changedBlocks(before, after)) {
    const offset = block * blockSizeBytes;
    if (open !== undefined && offset <= open.end) open.end = offset + blockSizeBytes;
    else {
      if (open !== undefined) yield rangeOf(open, sizeBytes);
      open = { offset, end: offset + blockSizeBytes };
    }
  }
  const grown = common < sizeBytes ? { offset: common, end: sizeBytes } : undefined;
  if (open !== undefined && grown !== undefined && open.end >= grown.offset) {
    yield rangeOf({ offset: Math.min(open.offset, grown.offset), end: sizeBytes }, sizeBytes);
    return;
  }
  if (open !== undefined) yield rangeOf(open, sizeBytes);
  if (grown !== undefined) yield rangeOf(grown, sizeBytes);
}

function rangeOf(range: { readonly offset: number; readonly end: number }, sizeBytes: number): ChangedRange {
  return { offset: range.offset, length: Math.min(range.end, sizeBytes) - range.offset };
}

/** Blocks within both volumes whose content differs. */
async function* changedBlocks(before: VolumeReader, after: VolumeReader): AsyncGenerator<number> {
  const blocks = Math.ceil(Math.min(before.volume.sizeBytes, after.volume.sizeBytes) / blockSizeBytes);
  for await (const leaf of changedLeaves(before, after, Math.ceil(blocks / leafEntries))) {
    const [old, now] = [await before.leaf(leaf), await after.leaf(leaf)];
    for (let slot = 0; slot < leafEntries; slot++) {
      const block = leaf * leafEntries + slot;
      if (block < blocks && !isSameContent(old?.[slot], now?.[slot])) yield block;
    }
  }
}

async function* changedLeaves(
  before: VolumeReader,
  after: VolumeReader,
  leaves: number,
): AsyncGenerator<number> {
  for (let slot = 0; slot * interiorEntries < leaves; slot++) {
    if (isSameContent(before.volume.root[slot], after.volume.root[slot])) continue;
    const [old, now] = [await before.interior(slot), await after.interior(slot)];
    for (let child = 0; child < interiorEntries; child++) {
      const leaf = slot * interiorEntries + child;
      if (leaf < leaves && !isSameContent(old?.[child], now?.[child])) yield leaf;
    }
  }
}

/** Two equal pages may lie at different places; two equal chunks, too. */
function isSameContent(left: ItemAddress | undefined, right: ItemAddress | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return Buffer.compare(left.id, right.id) === 0;
}
