import { isGarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { itemKinds } from "../format/format-limits.ts";
import { decodePackTable, PackTable } from "../format/pack-table.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import { openForwardReader } from "../point/forward-reader.ts";
import { readParts } from "../point/page-reader.ts";
import { readSlot, readTombstone } from "../point/read-slot.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { PruneDependencies } from "./prune-plan.ts";
import type { PointFacts } from "./survey-sessions.ts";

/** A volume of a root. */
export interface RootVolume {
  readonly point: PointFacts;
  readonly volumeId: string;
  readonly tables: readonly ItemAddress[];
}

/** By series and volume, so that the points of one volume follow each other. */
export function listRootVolumes(roots: readonly PointFacts[]): readonly RootVolume[] {
  const volumes = roots.flatMap((point) =>
    point.volumes.map(({ volumeId, tables }) => ({
      point,
      volumeId,
      tables,
      place: placeOf(point, volumeId),
    })),
  );
  return volumes.sort((left, right) =>
    left.place === right.place
      ? left.point.session < right.point.session
        ? -1
        : 1
      : left.place < right.place
        ? -1
        : 1,
  );
}

export function placeOf(point: PointFacts, volumeId: string): string {
  return `${point.series}/${volumeId}`;
}

export function isDamageCode(code: string): boolean {
  return code.startsWith("object-") || code === "page-damaged";
}

export interface ReadTable {
  readonly volume: RootVolume;
  readonly table: PackTable | undefined;
  /** Why there is none: what the point reaches is not known then. */
  readonly failure?: { readonly reason: string; readonly isReclaimed: boolean };
}

const tablesAtOnce = 3;

/** The pack tables of volumes, one after the other in their order. */
export async function* readTables(
  pruner: PruneDependencies,
  volumes: readonly RootVolume[],
  call: StoreCall,
): AsyncGenerator<ReadTable> {
  const dependencies = { ...pruner, forwards: openForwardReader(pruner) };
  const options = { concurrency: tablesAtOnce, signal: call.signal };
  yield* mapConcurrent(volumes, options, async (volume) => {
    const place = { series: volume.point.series, volumeId: volume.volumeId };
    const wanted = { volume: place, kind: itemKinds.table, parts: volume.tables };
    try {
      const bytes = await readParts(dependencies, wanted, call);
      return { volume, table: decodePackTable(bytes, `the pack table of ${volume.volumeId}`) };
    } catch (error) {
      if (!isGarrisonError(error) || !isDamageCode(error.code)) throw error;
      const failure = { reason: error.message, isReclaimed: await isReclaimed(pruner, volume.point, call) };
      return { volume, table: undefined, failure };
    }
  });
}

/**
 * Whether another pass has reclaimed a point: a record goes first, and its tombstone stays for ever. A fence may be in its
 * place: of a pass that saw the session before it committed, and neither its record nor its tombstone.
 */
export async function isReclaimed(
  pruner: PruneDependencies,
  point: PointFacts,
  call: StoreCall,
): Promise<boolean> {
  try {
    if ((await readSlot(pruner, point, call))?.state === "point") return false;
  } catch (error) {
    if (isGarrisonError(error) && error.code.startsWith("object-")) return false;
    throw error;
  }
  return (await readTombstone(pruner, point, call)) === "signed";
}

/** The map packs that hold a point's tables and hooks: no table counts them, the record names them. */
export function tablePackUses(point: PointFacts): PackTable {
  const table = new PackTable();
  for (const volume of point.volumes) {
    for (const { session, lane, pack: number } of [...volume.tables, ...volume.hooks])
      table.addReference("map", { session, lane, number }, 1);
  }
  for (const { number, items, sizeBytes } of point.tablePacks) {
    const name = { session: point.session, lane: point.lane, number };
    table.addReference("map", name, 1);
    table.describe("map", name, { items, sizeBytes });
  }
  return table;
}
