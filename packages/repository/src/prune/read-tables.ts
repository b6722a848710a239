import { isGarrisonError, type GarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { isTableDamage } from "../point/is-table-damage.ts";
import { PackTable, type PackUse } from "../format/pack-table.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import { openForwardReader } from "../point/forward-reader.ts";
import { readPackUses } from "../point/read-pack-uses.ts";
import { readTombstone } from "../point/read-slot.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { PruneDependencies } from "./prune-plan.ts";
import type { PointFacts } from "./survey-sessions.ts";

/** A volume of a root. */
export interface RootVolume {
  readonly point: PointFacts;
  readonly volumeId: string;
  readonly tables: readonly ItemAddress[];
  /** Its series and volume: equal for all points of it. */
  readonly place: string;
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

function placeOf(point: PointFacts, volumeId: string): string {
  return `${point.series}/${volumeId}`;
}

/** A root's pack table, which is decoded when it is asked for and never held as a whole. */
export interface RootTable {
  readonly volume: RootVolume;
  /** Tells of each pack that the table mentions, once. Answers why it can't be read, or not to its end, if so. */
  tell(listener: (use: PackUse) => void): Promise<TableFailure | undefined>;
}

/** What the point reaches is not known then. */
export interface TableFailure {
  readonly reason: string;
  readonly isReclaimed: boolean;
}

const tablesAtOnce = 3;

/**
 * The pack tables of volumes, one after the other in their order. Small ones are read ahead; a table of several parts, 4
 * MiB each, is read when its turn has come.
 */
export async function* readTables(
  pruner: PruneDependencies,
  volumes: readonly RootVolume[],
  call: StoreCall,
): AsyncGenerator<RootTable> {
  const reading = { ...pruner, forwards: openForwardReader(pruner) };
  const options = { concurrency: tablesAtOnce, signal: call.signal };
  const read = async (volume: RootVolume) =>
    orDamage(() => readPackUses(reading, { series: volume.point.series, volume }, call));
  const ahead = mapConcurrent(volumes, options, async (volume) => ({
    volume,
    small: volume.tables.length <= 1 ? await read(volume) : undefined,
  }));
  for await (const { volume, small } of ahead) {
    const tell: RootTable["tell"] = async (listener) => {
      const uses = small ?? (await read(volume));
      const damage = isGarrisonError(uses) ? uses : await orDamage(() => tellAll(uses, listener));
      if (damage === undefined) return undefined;
      return { reason: damage.message, isReclaimed: await isReclaimed(pruner, volume.point, call) };
    };
    yield { volume, tell };
  }
}

async function tellAll(uses: Iterable<PackUse>, listener: (use: PackUse) => void): Promise<undefined> {
  for (const use of uses) listener(use);
  return undefined;
}

/** What a read gives, or what is damaged. */
async function orDamage<Result>(read: () => Promise<Result>): Promise<Result | GarrisonError> {
  try {
    return await read();
  } catch (error) {
    if (isTableDamage(error)) return error;
    throw error;
  }
}

/**
 * Whether another pass may have reclaimed a point: it has ended, and nobody can read it any more. What is in its slot tells
 * nothing: a record goes first, and a fence or the record of a lane that slept may have taken its place since.
 */
export async function isReclaimed(
  pruner: PruneDependencies,
  point: PointFacts,
  call: StoreCall,
): Promise<boolean> {
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
