import { blockSizeBytes } from "../disk/block-source.ts";
import { interiorEntries, itemKinds, leafEntries } from "../format/format-limits.ts";
import { decodeHooks, type PackedHooks } from "../format/hooks.ts";
import type { Interior } from "../format/interior-page.ts";
import type { Leaf } from "../format/leaf-page.ts";
import { decodePackTable, type PackTable } from "../format/pack-table.ts";
import type { PageReference } from "../format/page-reference.ts";
import type { RecordVolume } from "../format/point-record.ts";
import type { StoreCall } from "../store/object-store.ts";
import { openForwardReader } from "./forward-reader.ts";
import {
  readInterior,
  readLeaf,
  readParts,
  type PageReaderDependencies,
  type VolumePlace,
} from "./page-reader.ts";

/** A volume of a restore point, read page by page; the pages used last are kept. */
export interface VolumeReader {
  readonly volume: RecordVolume;
  readonly place: VolumePlace;
  interior(slot: number): Promise<Interior | undefined>;
  leafReference(leaf: number): Promise<PageReference | undefined>;
  leaf(leaf: number): Promise<Leaf | undefined>;
  /** Leaves from the first to the last that the volume can have. */
  readonly leafCount: number;
  /** A fresh copy each time. */
  table(): Promise<PackTable>;
  hooks(): Promise<PackedHooks>;
}

export interface VolumeOwner {
  readonly series: string;
  readonly volume: RecordVolume;
  /** Who asks for many places at once says for how many, so that no page is read twice. */
  readonly placesAtOnce?: number;
}

const keptInteriors = 4;
const keptLeaves = 4;

export function openVolumeReader(
  given: PageReaderDependencies,
  owner: VolumeOwner,
  call: StoreCall,
): VolumeReader {
  const dependencies = { ...given, forwards: given.forwards ?? openForwardReader(given) };
  const { volume, placesAtOnce = 0 } = owner;
  const place = { series: owner.series, volumeId: volume.volumeId, kind: volume.kind };
  const what = `of ${volume.volumeId}`;
  const interior = keepLast(keptInteriors + placesAtOnce, async (slot: number) => {
    const address = volume.root[slot];
    return address === undefined
      ? undefined
      : readInterior(dependencies, { volume: place, address, slot }, call);
  });
  const leafReference = async (leaf: number) =>
    (await interior(Math.floor(leaf / interiorEntries)))?.[leaf % interiorEntries];
  return {
    volume,
    place,
    leafCount: countLeaves(volume),
    interior,
    leafReference,
    leaf: keepLast(keptLeaves + placesAtOnce, async (leaf: number) => {
      const address = await leafReference(leaf);
      return address === undefined
        ? undefined
        : readLeaf(dependencies, { volume: place, address, leaf }, call);
    }),
    async table() {
      const wanted = { volume: place, kind: itemKinds.table, parts: volume.tables };
      return decodePackTable(await readParts(dependencies, wanted, call), `the pack table ${what}`);
    },
    async hooks() {
      const wanted = { volume: place, kind: itemKinds.hooks, parts: volume.hooks };
      return decodeHooks(await readParts(dependencies, wanted, call), `the hooks ${what}`);
    },
  };
}

/** The leaves of a stream lie side by side, as many as its content made; those of an image follow from its size. */
function countLeaves({ kind, sizeBytes, root }: RecordVolume): number {
  if (kind !== "stream") return Math.ceil(sizeBytes / blockSizeBytes / leafEntries);
  const last = root.findLastIndex((child) => child !== undefined);
  return last < 0 ? 0 : last * interiorEntries + root[last]!.count;
}

/** Remembers the last few answers; callers that ask at the same time share one read. */
function keepLast<Result>(
  kept: number,
  read: (key: number) => Promise<Result>,
): (key: number) => Promise<Result> {
  const answers = new Map<number, Promise<Result>>();
  return (key) => {
    const known = answers.get(key);
    const answer = known ?? read(key);
    answers.delete(key);
    answers.set(key, answer);
    if (known !== undefined) return answer;
    answer.catch(() => answers.delete(key));
    if (answers.size > kept) answers.delete(answers.keys().next().value!);
    return answer;
  };
}
