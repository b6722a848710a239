import type { GarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { interiorEntries } from "../format/format-limits.ts";
import type { Interior } from "../format/interior-page.ts";
import type { Leaf } from "../format/leaf-page.ts";
import { isSameAddress, type PageReference } from "../format/page-reference.ts";
import type { StoreCall } from "../store/object-store.ts";
import { isDamage } from "./is-damage.ts";
import type { VolumeReader } from "./volume-reader.ts";

/** A page that differs from the one at the same place before. */
export interface ChangedPage {
  /** 1: an inner page, told before the leaves below it. 0: a leaf. */
  readonly level: 0 | 1;
  /** Its slot in the root, or the leaf's number. */
  readonly number: number;
  /** Nothing: all its blocks are zero now. */
  readonly reference: PageReference | undefined;
  readonly before: PageReference | undefined;
  /** The leaf, where there is one and it can be read. */
  readonly leaf?: Leaf;
  /** Why the page, though there is a reference, can't be read. Of what lies below it nothing is told. */
  readonly failure?: GarrisonError;
}

export interface ChangesWalk {
  readonly reader: VolumeReader;
  /** An older point of the volume: what both refer to at the same place is left out. */
  readonly before: VolumeReader | undefined;
  /** Pages that are known to be lost are not read; they come with this failure. */
  readonly knownLoss?: (reference: PageReference) => GarrisonError | undefined;
}

const leavesAtOnce = 8;

/**
 * The pages of a volume that differ from an older point's, in ascending order; all of them without one. A damaged page is
 * told with its failure and the walk goes on; anything else (no access, stopped) is thrown.
 */
export async function* walkChanges(walk: ChangesWalk, call: StoreCall): AsyncGenerator<ChangedPage> {
  const { reader, before } = walk;
  for (const [slot, reference] of reader.volume.root.entries()) {
    const older = before?.volume.root[slot];
    if (isSameAddress(reference, older)) continue;
    const opened = await tryPage(walk, reference, () => reader.interior(slot));
    yield { level: 1, number: slot, reference, before: older, ...failureOf(opened) };
    if (opened.failure !== undefined) continue;
    const base = await tryPage(walk, older, async () => before?.interior(slot));
    const leaves = changedLeaves({ slot, page: opened.page, before: base.page });
    const options = { concurrency: leavesAtOnce, signal: call.signal };
    yield* mapConcurrent(leaves, options, (leaf) => readChanged(walk, leaf));
  }
}

function* changedLeaves(pair: {
  readonly slot: number;
  readonly page: Interior | undefined;
  readonly before: Interior | undefined;
}): Generator<ChangedPage> {
  for (let child = 0; child < interiorEntries; child++) {
    const [reference, before] = [pair.page?.[child], pair.before?.[child]];
    const number = pair.slot * interiorEntries + child;
    if (!isSameAddress(reference, before)) yield { level: 0, number, reference, before };
  }
}

async function readChanged(walk: ChangesWalk, changed: ChangedPage): Promise<ChangedPage> {
  const { page, failure } = await tryPage(walk, changed.reference, () => walk.reader.leaf(changed.number));
  if (failure !== undefined) return { ...changed, failure };
  return page === undefined ? changed : { ...changed, leaf: page };
}

interface TriedPage<Page> {
  readonly page?: Page | undefined;
  readonly failure?: GarrisonError;
}

async function tryPage<Page>(
  walk: ChangesWalk,
  reference: PageReference | undefined,
  read: () => Promise<Page>,
): Promise<TriedPage<Page>> {
  if (reference === undefined) return {};
  const known = walk.knownLoss?.(reference);
  if (known !== undefined) return { failure: known };
  try {
    return { page: await read() };
  } catch (error) {
    if (isDamage(error)) return { failure: error };
    throw error;
  }
}

function failureOf(opened: TriedPage<unknown>) {
  return opened.failure === undefined ? {} : { failure: opened.failure };
}
