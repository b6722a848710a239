import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { BackupDependencies, BackupSummary, SessionPlan } from "./backup-plan.ts";
import type { BackupRun } from "./backup-run.ts";
import type { VolumeResult } from "./backup-volume.ts";
import { itemKinds, maxDescriptionBytes } from "../format/format-limits.ts";
import { encodeHooks } from "../format/hooks.ts";
import { packName, packPrefix, parsePackName, pointName, type PackKind } from "../format/object-names.ts";
import type { PackAddress } from "../format/pack-container.ts";
import { encodePackTable, type PackUse } from "../format/pack-table.ts";
import {
  encodeRecord,
  sealDescription,
  type PointRecord,
  type RecordVolume,
  type TablePack,
} from "../format/point-record.ts";
import { encodeObject } from "../format/sealed-object.ts";
import type { StoreCall } from "../store/object-store.ts";
import { lockForPromise } from "../point/lock-promise.ts";
import { readSlot, type SlotContent } from "../point/read-slot.ts";
import { sessionStartMs } from "../point/session-id.ts";
import { describePacks } from "./describe-packs.ts";

/** A volume that has been read. */
export interface ReadVolume extends VolumeResult {
  /** What shows only at the end of a stream. */
  readonly stream?: { readonly sizeBytes: number; readonly sha256: string };
}

type CommittingRun = BackupRun<SessionPlan>;

const packKinds: readonly PackKind[] = ["pack", "map"];

/** Tables, hooks, a look at what has arrived, then the record into the slot: that creation is the commit. */
export async function commitSession(
  run: CommittingRun,
  results: readonly ReadVolume[],
): Promise<BackupSummary> {
  await run.flush();
  const firstTablePack = run.maps.begun;
  const volumes: RecordVolume[] = [];
  for (const [number, result] of results.entries()) volumes.push(await finishVolume(run, { number, result }));
  await run.flush();
  await verifyArrival(run, results);
  return fillSlot(run, recordOf(run, { volumes, tablePacks: tablePacksFrom(run, firstTablePack) }));
}

function tablePacksFrom(run: CommittingRun, first: number): readonly TablePack[] {
  const { sessionId: session, laneId: lane } = run.session;
  return Array.from({ length: run.maps.begun - first }, (_, index) => {
    const { number, items, sizeBytes } = run.packFacts.find("map", { session, lane, number: first + index })!;
    return { number, items, sizeBytes };
  });
}

async function finishVolume(
  run: CommittingRun,
  finished: { readonly number: number; readonly result: ReadVolume },
): Promise<RecordVolume> {
  const { number, result } = finished;
  const { volumeId, deviceName, kind, source } = run.plan.volumes[number]!;
  const place = { series: run.session.series, volumeId, kind };
  await describePacks(run, result);
  const table = { kind: itemKinds.table, volume: number, plain: encodePackTable(result.map.table) };
  const hooks = { kind: itemKinds.hooks, volume: number, plain: encodeHooks(result.map.hooks) };
  return {
    ...result.summary,
    ...(deviceName === undefined ? {} : { deviceName }),
    sizeBytes: source.sizeBytes,
    ...(kind === undefined ? {} : { kind, ...result.stream }),
    identity: source.identity,
    blocksHeld: result.map.blocksHeld,
    root: result.map.root,
    tables: await run.pages.writeParts(place, table),
    hooks: await run.pages.writeParts(place, hooks),
  };
}

function nameOf(dependencies: BackupDependencies, use: PackAddress): string {
  return packName(dependencies.keys.domain, use.kind, use);
}

/**
 * Compares a listing of the session's packs with what the record is going to refer to. What has arrived is marked in the
 * facts of the session's packs, whose references nothing else uses: a table of its own would be as large again.
 */
async function verifyArrival(run: CommittingRun, results: readonly VolumeResult[]): Promise<void> {
  const { sessionId: session, laneId: lane } = run.session;
  for (const kind of packKinds) {
    const wrongSizes = await markListed(run, kind);
    for (let number = 0; number < (kind === "pack" ? run.packs : run.maps).begun; number++)
      requireArrived(run, run.packFacts.find(kind, { session, lane, number })!, wrongSizes);
    for (const use of usesOf(results, kind))
      if (use.session === session) requireArrived(run, use, wrongSizes);
  }
}

function* usesOf(results: readonly VolumeResult[], kind: PackKind): Generator<PackUse> {
  for (const { map } of results) yield* map.table.uses(kind);
}

/** Answers the sizes of packs that are listed with another one than they were sent with. */
async function markListed(run: CommittingRun, kind: PackKind): Promise<ReadonlyMap<string, number>> {
  const { keys, store } = run.dependencies;
  const wrongSizes = new Map<string, number>();
  const prefix = packPrefix(keys.domain, kind, run.session.sessionId);
  for await (const { key, sizeBytes } of store.list(prefix, run.call)) {
    const name = parsePackName(key);
    if (name === undefined) continue;
    // Of a pack that only a base tells of (it has taken it over from an earlier life of this session) the size is noted.
    const known = run.packFacts.find(kind, name)?.sizeBytes ?? 0;
    if (known === 0) run.packFacts.describe(kind, name, { items: 0, sizeBytes });
    if (known === 0 || known === sizeBytes) run.packFacts.addReference(kind, name, 1);
    else wrongSizes.set(key, sizeBytes);
  }
  return wrongSizes;
}

function requireArrived(run: CommittingRun, pack: PackUse, wrongSizes: ReadonlyMap<string, number>): void {
  const listed = run.packFacts.find(pack.kind, pack);
  const isListed = listed !== undefined && listed.references > 0;
  if (isListed && listed.sizeBytes === pack.sizeBytes) return;
  const name = nameOf(run.dependencies, pack);
  const found = isListed ? listed.sizeBytes : wrongSizes.get(name);
  if (found === undefined) throw new GarrisonError("object-missing", `${name} was stored but is not listed`);
  throw new GarrisonError("object-truncated", `${name} has ${found} bytes, not ${pack.sizeBytes}`);
}

function recordOf(run: CommittingRun, stored: Pick<PointRecord, "volumes" | "tablePacks">): PointRecord {
  const { plan, session, dependencies } = run;
  const { keys, random, clock } = dependencies;
  const { sessionId, laneId, predecessor, seen, parent } = session;
  const name = pointName(keys.domain, session.series, sessionId);
  const description = sealDescription({ dataKey: plan.grant.dataKey, name, random }, plan.description);
  if (description.length > maxDescriptionBytes) {
    throw new GarrisonError(
      "usage",
      `the description of ${plan.series} is larger than ${maxDescriptionBytes} bytes`,
    );
  }
  return {
    session: sessionId,
    lane: laneId,
    series: plan.series,
    name: plan.name ?? plan.series,
    createdAtMs: sessionStartMs(sessionId),
    durationMs: Math.max(0, clock.now() - run.startedAtMs),
    ...(parent === undefined ? {} : { parent: parent.session }),
    bases: run.bases.held.map(({ base }) => base),
    ...(predecessor === undefined ? {} : { predecessor }),
    ...(plan.promisedUntilMs === undefined ? {} : { promisedUntilMs: plan.promisedUntilMs }),
    seen,
    ...stored,
    description,
  };
}

async function fillSlot(run: CommittingRun, record: PointRecord): Promise<BackupSummary> {
  const { keys, random, store } = run.dependencies;
  const name = pointName(keys.domain, run.session.series, record.session);
  const bytes = encodeObject(keys, random, { name, kind: "record", body: encodeRecord(record) });
  const { promisedUntilMs } = record;
  const retain = promisedUntilMs === undefined ? {} : { retainUntilMs: lockForPromise(promisedUntilMs) };
  if ((await store.create(name, bytes, { ...run.call, ...retain })) === "created") return summaryOf(record);
  const address = { series: run.session.series, session: record.session };
  const committed = await readFilledSlot(run.dependencies, address, run.call);
  return committed ?? summaryOf(record);
}

/**
 * The summary of a session that is committed already; nothing while its slot is empty. Throws `session-fenced` when it
 * can't commit any more, `slot-foreign` when the slot holds what nobody of this domain wrote.
 */
export async function readFilledSlot(
  dependencies: BackupDependencies,
  address: { readonly series: string; readonly session: string },
  call: StoreCall,
): Promise<BackupSummary | undefined> {
  let content: SlotContent | undefined;
  try {
    content = await readSlot(dependencies, address, call);
  } catch (cause) {
    if (!isGarrisonError(cause, "object-damaged") && !isGarrisonError(cause, "object-malformed")) throw cause;
    throw new GarrisonError("slot-foreign", `the slot of session ${address.session} is not authentic`, {
      cause,
    });
  }
  if (content === undefined) return undefined;
  if (content.state === "point") return summaryOf(content.record);
  throw new GarrisonError("session-fenced", `session ${address.session} has ended: ${content.state}`);
}

function summaryOf(record: PointRecord): BackupSummary {
  return {
    point: record.session,
    durationMs: record.durationMs,
    volumes: record.volumes.map((volume) => ({
      volumeId: volume.volumeId,
      coverage: volume.coverage,
      blocksListed: volume.blocksListed,
      blocksRead: volume.blocksRead,
      bytesRead: volume.bytesRead,
      blocksStored: volume.blocksStored,
      bytesStored: volume.bytesStored,
      blocksReused: volume.blocksReused,
      blocksResumed: volume.blocksResumed,
    })),
  };
}
