import { GarrisonError } from "@garrison/core/garrison-error";
import type { VolumeSummary } from "../backup/backup-plan.ts";
import { pointName, seriesHash } from "../format/object-names.ts";
import { openDescription, type PointRecord } from "../format/point-record.ts";
import { tryEpochs } from "../keys/epochs.ts";
import type { DomainKeys, SessionEpoch } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import type { PackTable } from "../format/pack-table.ts";
import { repairSessions } from "./repair-sessions.ts";
import { readSlot, readTombstone } from "./read-slot.ts";
import { openVolumeReader } from "./volume-reader.ts";

export interface PointVolume extends VolumeSummary {
  readonly deviceName?: string;
  readonly sizeBytes: number;
  /** Absent: an image. */
  readonly kind?: "stream";
  /** SHA-256 of a whole stream, in hex. */
  readonly sha256?: string;
  /** What was read (`ebs:snap-...`). */
  readonly identity: string;
  /** Blocks that the point holds, zero ones not counted. */
  readonly blocksHeld: number;
}

export interface RestorePoint {
  readonly sessionId: string;
  readonly series: string;
  readonly name: string;
  /** When the session was begun. */
  readonly createdAtMs: number;
  readonly durationMs: number;
  readonly parent?: string;
  /** Until when nobody should be able to delete it (`planLockExtension` says until when it is held). */
  readonly promisedUntilMs?: number;
  readonly volumes: readonly PointVolume[];
  /** Present when the point's session data key was given. */
  readonly description?: Readonly<Record<string, unknown>>;
}

export interface ReadPointDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  /** The session's data key of an epoch: opens the description. */
  readonly dataKey?: (epoch: number) => Uint8Array;
}

export interface PointAddress {
  readonly series: string;
  readonly sessionId: string;
}

/** Reads one point. Throws `point-missing`, `point-ended`, or what is wrong with the record. */
export async function readPoint(
  dependencies: ReadPointDependencies,
  address: PointAddress,
  call: StoreCall,
): Promise<RestorePoint> {
  const record = await readRecord(dependencies, address, call);
  return describePoint(dependencies, record);
}

/** The sessions whose data keys a restore of this point needs, ascending. */
export async function sessionsOfPoint(
  dependencies: ReadPointDependencies,
  address: PointAddress,
  call: StoreCall,
): Promise<readonly SessionEpoch[]> {
  const { record, epoch } = await readCommitted(dependencies, address, call);
  const sessions = new Map([[record.session, epoch]]);
  const series = seriesHash(dependencies.keys, record.series);
  const tables: PackTable[] = [];
  for (const volume of record.volumes) {
    const table = await openVolumeReader(dependencies, { series, volume }, call).table();
    tables.push(table);
    for (const use of table.uses("pack")) sessions.set(use.session, use.epoch);
  }
  for (const repair of await repairSessions(dependencies, tables, call)) {
    sessions.set(repair.sessionId, repair.epoch);
  }
  const ids = [...sessions.keys()].sort();
  return ids.map((sessionId) => ({ sessionId, epoch: sessions.get(sessionId)! }));
}

/** The record of a point that counts: committed, authentic, without a tombstone. */
export async function readRecord(
  dependencies: ReadPointDependencies,
  address: PointAddress,
  call: StoreCall,
): Promise<PointRecord> {
  return (await readCommitted(dependencies, address, call)).record;
}

async function readCommitted(
  dependencies: ReadPointDependencies,
  address: PointAddress,
  call: StoreCall,
): Promise<{ readonly record: PointRecord; readonly epoch: number }> {
  const slot = { series: seriesHash(dependencies.keys, address.series), session: address.sessionId };
  const content = await readSlot(dependencies, slot, call);
  if (content?.state !== "point") {
    throw new GarrisonError("point-missing", `${address.series} has no restore point ${address.sessionId}`);
  }
  if ((await readTombstone(dependencies, slot, call)) === "signed") {
    throw new GarrisonError(
      "point-ended",
      `restore point ${address.sessionId} of ${address.series} has ended`,
    );
  }
  return content;
}

/** What callers see of a record. */
export function describePoint(
  owner: Pick<ReadPointDependencies, "keys" | "dataKey">,
  record: PointRecord,
): RestorePoint {
  const { session, series, name, createdAtMs, durationMs, parent, promisedUntilMs } = record;
  return {
    sessionId: session,
    series,
    name,
    createdAtMs,
    durationMs,
    ...(parent === undefined ? {} : { parent }),
    ...(promisedUntilMs === undefined ? {} : { promisedUntilMs }),
    volumes: record.volumes.map(({ root: _root, tables: _tables, hooks: _hooks, ...volume }) => volume),
    ...descriptionOf(owner, record),
  };
}

function descriptionOf(
  owner: Pick<ReadPointDependencies, "keys" | "dataKey">,
  record: PointRecord,
): { readonly description?: Readonly<Record<string, unknown>> } {
  const { dataKey } = owner;
  if (dataKey === undefined) return {};
  const name = pointName(owner.keys.domain, seriesHash(owner.keys, record.series), record.session);
  const description = tryEpochs(owner.keys, ({ epoch }) =>
    openDescription({ dataKey: dataKey(epoch), name }, record.description),
  );
  if (description === undefined) {
    throw new GarrisonError(
      "object-damaged",
      `the description in ${name} does not open with this session's key`,
    );
  }
  return { description };
}
