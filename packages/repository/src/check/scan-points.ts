import { mapConcurrent } from "@garrison/core/map-concurrent";
import { endPrefix, parseSlotName, pointName, pointPrefix } from "../format/object-names.ts";
import { PackTable } from "../format/pack-table.ts";
import { openDescription, type PointRecord } from "../format/point-record.ts";
import { readSlot, readTombstone, type SlotAddress, type SlotContent } from "../point/read-slot.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import { tryEpochs } from "../keys/epochs.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck, Finding } from "./check-plan.ts";
import { checkSeen } from "./check-seen.ts";
import { checkTable } from "./check-table.ts";
import { PackUnion } from "./pack-union.ts";
import { tryReading } from "./try-reading.ts";

/** What a look at all records and tables of a domain gives. */
export interface ScannedPoints {
  /** Points that count and whose record could be read, by series, oldest first. */
  readonly points: readonly SlotAddress[];
  readonly union: PackUnion;
}

const recordsAtOnce = 8;
/** Packs held at once, 12 bytes each and some for each session and each that was moved: 32 TiB of packs a round. */
const packsPerRound = 1_000_000;

/** Reads every record and pack table of the domain once, and says what is wrong with them. */
export async function* scanPoints(
  check: DomainCheck,
  call: StoreCall,
): AsyncGenerator<Finding, ScannedPoints> {
  const ended = yield* readTombstones(check, call);
  const seen = new Set<string>();
  const points: SlotAddress[] = [];
  const union = new PackUnion({ limit: packsPerRound });
  const options = { concurrency: recordsAtOnce, signal: call.signal };
  const saw = new Map<string, PointRecord["seen"]>();
  const scan = (key: string) => scanSlot(check, { key, seen, ended }, call);
  for await (const scanned of mapConcurrent(listSlotNames(check, seen, call), options, scan)) {
    yield* scanned.findings;
    if (scanned.moves !== undefined) check.moved.addMoves(scanned.moves.moves, scanned.moves.epoch);
    if (scanned.record === undefined) continue;
    const slot = scanned.slot!;
    points.push(slot);
    saw.set(`${slot.series}/${slot.session}`, scanned.record.seen);
    if (scanned.vanished !== undefined) seen.add(`${slot.series}/${scanned.vanished}`);
    addTables(union, slot, scanned);
  }
  yield* checkSeen(check, { known: seen.union(ended), saw }, call);
  return { points, union };
}

/** The tables of the points again, for the packs that found no room in the rounds before. */
export async function unionFrom(
  check: DomainCheck,
  wanted: { readonly points: readonly SlotAddress[]; readonly from: string },
  call: StoreCall,
): Promise<PackUnion> {
  const union = new PackUnion({ limit: packsPerRound, from: wanted.from });
  const options = { concurrency: recordsAtOnce, signal: call.signal };
  const read = async (slot: SlotAddress) => {
    const content = await collect([], readContent(check, slot, call));
    const point = content?.state === "point" ? content : undefined;
    return { slot, ...(await readTables(check, { slot, point }, call)) };
  };
  for await (const scanned of mapConcurrent(wanted.points, options, read)) {
    if (scanned.record !== undefined) addTables(union, scanned.slot, scanned);
  }
  return union;
}

function addTables(union: PackUnion, slot: SlotAddress, scanned: ScannedTables): void {
  for (const { volumeId, table } of scanned.tables) union.add(table, { series: slot.series, volumeId });
}

async function* readTombstones(check: DomainCheck, call: StoreCall): AsyncGenerator<Finding, Set<string>> {
  const ended = new Set<string>();
  for await (const object of check.store.list(endPrefix(check.keys.domain), call)) {
    const slot = parseSlotName(object.key);
    const state = slot === undefined ? "unsigned" : await readTombstone(check, slot, call);
    if (slot !== undefined && state === "signed") ended.add(`${slot.series}/${slot.session}`);
    else {
      const message = "this end of a restore point is not signed and does not count";
      yield { severity: "notice", code: "tombstone-unsigned", key: object.key, message };
    }
  }
  return ended;
}

async function* listSlotNames(
  check: DomainCheck,
  seen: Set<string>,
  call: StoreCall,
): AsyncGenerator<string> {
  for await (const { key } of check.store.list(pointPrefix(check.keys.domain), call)) {
    const slot = parseSlotName(key);
    if (slot !== undefined) seen.add(`${slot.series}/${slot.session}`);
    yield key;
  }
}

interface ScannedTables {
  readonly record?: PointRecord;
  readonly tables: readonly { readonly volumeId: string; readonly table: PackTable }[];
}

interface ScannedSlot extends ScannedTables {
  readonly slot?: SlotAddress;
  readonly moves?: Extract<SlotContent, { readonly state: "moves" }>;
  /** The session before it, when that is gone without a tombstone. */
  readonly vanished?: string | undefined;
  readonly findings: readonly Finding[];
}

interface SlotScan {
  readonly key: string;
  /** Slots listed so far, and tombstones: `series/session`. */
  readonly seen: ReadonlySet<string>;
  readonly ended: ReadonlySet<string>;
}

async function scanSlot(check: DomainCheck, scan: SlotScan, call: StoreCall): Promise<ScannedSlot> {
  const { key, ended } = scan;
  const slot = parseSlotName(key);
  if (slot === undefined) {
    const message = "no restore point has such a name";
    return { findings: [{ severity: "notice", code: "foreign-object", key, message }], tables: [] };
  }
  if (ended.has(`${slot.series}/${slot.session}`)) return { findings: [], tables: [] };
  const findings: Finding[] = [];
  const content = await collect(findings, readContent(check, slot, call));
  if (content?.state === "moves") return { findings, tables: [], moves: content };
  if (content?.state !== "point") return { findings, tables: [] };
  const { record, epoch } = content;
  findings.push(...checkRecord(check, { key, record }));
  const vanished = await collect(findings, checkPredecessor(check, { ...scan, slot, record }, call));
  const read = await readTables(check, { slot, point: { record, epoch }, findings }, call);
  return { slot, findings, vanished, ...read };
}

function readContent(
  check: DomainCheck,
  slot: SlotAddress,
  call: StoreCall,
): AsyncGenerator<Finding, SlotContent | undefined> {
  const key = pointName(check.keys.domain, slot.series, slot.session);
  return tryReading({ key, point: slot.session }, () => readSlot(check, slot, call));
}

interface CommittedPoint {
  readonly record: PointRecord;
  /** Key epoch of its session. */
  readonly epoch: number;
}

async function readTables(
  check: DomainCheck,
  owner: {
    readonly slot: SlotAddress;
    readonly point: CommittedPoint | undefined;
    readonly findings?: Finding[];
  },
  call: StoreCall,
): Promise<ScannedTables> {
  const { point, slot } = owner;
  if (point === undefined) return { tables: [] };
  const { record } = point;
  const tables = [];
  for (const volume of record.volumes) {
    const { volumeId } = volume;
    const reader = openVolumeReader(check, { series: slot.series, volume }, call);
    const table = await collect(owner.findings ?? [], checkTable(check, { slot, reader }, call));
    tables.push({ volumeId, table: withTablePacks(table ?? new PackTable(), point) });
  }
  return { record, tables };
}

/** The packs that hold a point's tables and hooks are named by its record: a table can't count itself. */
function withTablePacks(table: PackTable, { record, epoch }: CommittedPoint): PackTable {
  const { session, lane } = record;
  for (const pack of record.tablePacks) {
    const name = { session, lane, number: pack.number };
    table.addReference("map", name, 1);
    table.describe("map", name, { ...pack, epoch });
  }
  return table;
}

async function collect<Result>(
  findings: Finding[],
  reading: AsyncGenerator<Finding, Result>,
): Promise<Result> {
  for (;;) {
    const next = await reading.next();
    if (next.done === true) return next.value;
    findings.push(next.value);
  }
}

/** What the record says of itself. */
function* checkRecord(
  check: DomainCheck,
  scanned: Pick<SlotScan, "key"> & { readonly record: PointRecord },
): Generator<Finding> {
  const { key, record } = scanned;
  const about = { severity: "damage", key, point: record.session } as const;
  const description = tryEpochs(check.keys, ({ epoch }) => {
    const dataKey = check.repository.sessionDataKey(check.plan.domain, record.session, epoch);
    return openDescription({ dataKey, name: key }, record.description);
  });
  if (description === undefined) {
    yield { ...about, code: "object-damaged", message: "the description is not authentic" };
  }
}

/** A session that this point saw and that is gone without a tombstone. */
async function* checkPredecessor(
  check: DomainCheck,
  scanned: SlotScan & { readonly slot: SlotAddress; readonly record: PointRecord },
  call: StoreCall,
): AsyncGenerator<Finding, string | undefined> {
  const { key, slot, record, seen, ended } = scanned;
  const { predecessor } = record;
  if (predecessor === undefined) return undefined;
  const name = `${slot.series}/${predecessor}`;
  if (seen.has(name) || ended.has(name)) return undefined;
  // Looked at again: it may have been committed behind the listing, or ended and been reclaimed since.
  const before = { series: slot.series, session: predecessor };
  const findings: Finding[] = [];
  const isThere = (await collect(findings, readContent(check, before, call))) !== undefined;
  if (isThere || findings.length > 0 || (await readTombstone(check, before, call)) === "signed")
    return undefined;
  const message = `${predecessor}, seen when this point was made, is gone without a tombstone`;
  yield { severity: "damage", code: "point-vanished", key, point: record.session, message };
  return predecessor;
}
