import { freeMemory } from "../blocks/free-memory.ts";
import { itemKinds } from "../format/format-limits.ts";
import { readPackTable, type PackUse } from "../format/pack-table.ts";
import type { RecordVolume } from "../format/point-record.ts";
import type { StoreCall } from "../store/object-store.ts";
import { readParts, type PageReaderDependencies } from "./page-reader.ts";

export interface TableOwner {
  /** The series' keyed hash. */
  readonly series: string;
  readonly volume: Pick<RecordVolume, "volumeId" | "tables">;
}

/**
 * What the pack table of a point's volume tells, in its order and for once through: it is decoded while it is asked, and
 * not held. What is wrong with it is thrown on the way.
 */
export async function readPackUses(
  dependencies: PageReaderDependencies,
  { series, volume }: TableOwner,
  call: StoreCall,
): Promise<Iterable<PackUse>> {
  const { volumeId, tables } = volume;
  const wanted = { volume: { series, volumeId }, kind: itemKinds.table, parts: tables };
  return usesOf(await readParts(dependencies, wanted, call), `the pack table of ${volumeId}`);
}

function* usesOf(bytes: Uint8Array, what: string): Generator<PackUse> {
  try {
    yield* readPackTable(bytes, what);
  } finally {
    freeMemory(bytes);
  }
}
