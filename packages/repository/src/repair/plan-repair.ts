import type { Logger } from "@garrison/core/logger";
import type { ForwardedItem } from "../format/forward.ts";
import { parseSlotName, pointPrefix, type ForwardName } from "../format/object-names.ts";
import type { ChunkAddress } from "../format/page-reference.ts";
import type { PointRecord } from "../format/point-record.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { isDamage } from "../point/is-damage.ts";
import { readSlot, readTombstone, type SlotAddress } from "../point/read-slot.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import type { BlockRun, ByteSpan } from "./block-runs.ts";
import { coverForwarded } from "./cover-forwarded.ts";
import { CopySearch, type FoundCopy } from "./find-copies.ts";
import { findLosses, lostRuns, type VolumeLosses } from "./find-losses.ts";
import { loadKnownLosses, type VolumeLoss } from "./findings-note.ts";
import { packKey, packOf, LostItems } from "./lost-items.ts";
import { measureLoss } from "./measure-loss.ts";

/** A forward that a repair writes. */
export interface PlannedForward extends ForwardName {
  readonly items: readonly ForwardedItem[];
  readonly copies: readonly FoundCopy[];
}

/** What a repair does for one volume of a point. */
export interface VolumeRepair extends VolumeLoss {
  /** The series as people call it. */
  readonly name: string;
  /** Of the lost blocks. */
  readonly blocksHealed: number;
  /** Bytes of the volume that stay lost, ascending. */
  readonly remaining: readonly ByteSpan[];
}

export interface RepairPlan {
  /** What is lost before the repair, without what earlier ones have healed. */
  readonly lost: LostItems;
  readonly forwards: readonly PlannedForward[];
  readonly volumes: readonly VolumeRepair[];
}

export interface RepairDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly logger: Logger;
}

/**
 * Looks for other copies of what the last check noted as lost: items with the same id at the same place of other points of
 * the series, which later backups have stored. Touches nothing. `volumes` says what each point gets back, and which bytes
 * stay lost.
 */
export async function planRepair(dependencies: RepairDependencies, call: StoreCall): Promise<RepairPlan> {
  const known = await loadKnownLosses(dependencies, call);
  const { lost } = known;
  await coverForwarded(dependencies, lost, call);
  const copies: FoundCopy[] = [];
  const hit: HitVolume[] = [];
  for (const series of new Set(known.volumes.map((volume) => volume.series))) {
    const found = await planSeries(dependencies, { series, lost }, call);
    copies.push(...found.copies);
    hit.push(...found.hit);
  }
  return { lost, forwards: groupForwards(copies), volumes: await describeVolumes(hit, copies) };
}

interface HitVolume {
  readonly slot: SlotAddress;
  readonly name: string;
  readonly losses: VolumeLosses;
}

interface SeriesSearch {
  readonly series: string;
  readonly lost: LostItems;
}

async function planSeries(
  dependencies: RepairDependencies,
  search: SeriesSearch,
  call: StoreCall,
): Promise<{ readonly copies: readonly FoundCopy[]; readonly hit: readonly HitVolume[] }> {
  const slots = await listSlots(dependencies, search.series, call);
  const searches = new Map<string, CopySearch>();
  const hit = await findHit(dependencies, { ...search, slots, searches }, call);
  // The newest point is the likeliest to hold a copy, and the last one to end.
  for (const slot of slots.toReversed()) {
    if ([...searches.values()].every((each) => each.isDone)) break;
    const record = await readRecord(dependencies, slot, call);
    for (const volume of record?.volumes ?? []) {
      const reader = openVolumeReader(dependencies, { series: slot.series, volume }, call);
      await searches.get(volume.volumeId)?.compare(reader, slot);
    }
  }
  return { copies: [...searches.values()].flatMap((each) => each.found), hit };
}

/** The volumes that have lost something, and what is wanted for them. */
async function findHit(
  dependencies: RepairDependencies,
  search: SeriesSearch & {
    readonly slots: readonly SlotAddress[];
    readonly searches: Map<string, CopySearch>;
  },
  call: StoreCall,
): Promise<readonly HitVolume[]> {
  const { lost, slots, searches } = search;
  const known = new Map<string, VolumeLosses>();
  const hit: HitVolume[] = [];
  for (const slot of slots) {
    const record = await readRecord(dependencies, slot, call);
    for (const volume of record?.volumes ?? []) {
      const reader = openVolumeReader(dependencies, { series: slot.series, volume }, call);
      const before = known.get(volume.volumeId);
      const losses = await findLosses({ reader, lost, before, onDamage: addPage(lost) }, call);
      known.set(volume.volumeId, losses);
      if (losses.byLeaf.size === 0) continue;
      hit.push({ slot, name: record!.series, losses });
      const copies = searches.get(volume.volumeId) ?? new CopySearch(lost);
      searches.set(volume.volumeId, copies);
      for (const loss of [...losses.byLeaf.values()].flat()) copies.want(loss);
    }
  }
  return hit;
}

function addPage(lost: LostItems): NonNullable<Parameters<typeof findLosses>[0]["onDamage"]> {
  return (pack, { offset }) => void lost.addItem(pack, offset);
}

async function listSlots(
  { store, keys }: RepairDependencies,
  series: string,
  call: StoreCall,
): Promise<readonly SlotAddress[]> {
  const slots: SlotAddress[] = [];
  for await (const object of store.list(pointPrefix(keys.domain, series), call)) {
    const slot = parseSlotName(object.key);
    if (slot !== undefined) slots.push(slot);
  }
  return slots;
}

/** Nothing for a point that has ended, or whose record can't be read. */
async function readRecord(
  dependencies: RepairDependencies,
  slot: SlotAddress,
  call: StoreCall,
): Promise<PointRecord | undefined> {
  try {
    if ((await readTombstone(dependencies, slot, call)) !== "none") return undefined;
    const content = await readSlot(dependencies, slot, call);
    return content?.state === "point" ? content.record : undefined;
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/** One forward for each pack that lost something and pack that has copies of it. */
function groupForwards(copies: readonly FoundCopy[]): readonly PlannedForward[] {
  const groups = new Map<string, FoundCopy[]>();
  for (const copy of copies) {
    const key = `${packKey(packOf(copy.kind, copy.lost))} ${packKey(packOf(copy.kind, copy.copy))}`;
    groups.set(key, [...(groups.get(key) ?? []), copy]);
  }
  return [...groups.keys()].sort().map((key) => plannedForward(groups.get(key)!));
}

function plannedForward(group: readonly FoundCopy[]): PlannedForward {
  const copies = group.toSorted((left, right) => left.lost.offset - right.lost.offset);
  const { kind, lost, copy } = copies[0]!;
  const target = packOf(kind, copy);
  const items = copies.map((each) => ({
    offset: each.lost.offset,
    length: each.lost.length,
    newOffset: each.copy.offset,
    newLength: each.copy.length,
    codec: kind === "pack" ? (each.copy as ChunkAddress).codec : (0 as const),
    sealedIn: { session: target.session, lane: target.lane, number: target.number },
  }));
  return { kind, origin: packOf(kind, lost), target, items, copies };
}

async function describeVolumes(
  hit: readonly HitVolume[],
  copies: readonly FoundCopy[],
): Promise<readonly VolumeRepair[]> {
  const healed = new LostItems();
  for (const { kind, lost } of copies) healed.addItem(packOf(kind, lost), lost.offset);
  const volumes: VolumeRepair[] = [];
  for (const { slot, name, losses } of hit) {
    const { reader } = losses;
    const remaining: BlockRun[] = [];
    for (const { pack, item, run } of [...losses.byLeaf.values()].flat()) {
      if (!healed.has(pack.kind, item)) remaining.push(run);
    }
    const { blocks } = await measureLoss(reader, lostRuns(losses));
    const left = await measureLoss(reader, remaining);
    volumes.push({
      series: slot.series,
      point: slot.session,
      name,
      volumeId: reader.volume.volumeId,
      blocks,
      blocksHealed: blocks - left.blocks,
      remaining: left.spans,
    });
  }
  return volumes;
}
