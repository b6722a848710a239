import { mapConcurrent } from "@garrison/core/map-concurrent";
import { isGarrisonError } from "@garrison/core/garrison-error";
import { endPrefix, parseSlotName, pointPrefix, seriesHash } from "../format/object-names.ts";
import type { PointRecord } from "../format/point-record.ts";
import type { DomainKeys } from "../keys/keys.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { describePoint, type RestorePoint } from "./read-point.ts";
import { readSlot, readTombstone, type SlotAddress } from "./read-slot.ts";

export interface ListDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
}

const readsAtOnce = 8;

/**
 * Committed restore points of the domain (or of one series), oldest first. Ended, fenced, given-up and uncommitted
 * sessions are never listed; a record that is not authentic, or of a newer epoch than the keys at hand, is skipped
 * (`checkRepository` names it).
 */
export async function listPoints(
  dependencies: ListDependencies,
  filter: { readonly series?: string },
  call: StoreCall,
): Promise<readonly RestorePoint[]> {
  const points: RestorePoint[] = [];
  const slots = listSlots(dependencies, filter, call);
  const options = { concurrency: readsAtOnce, signal: call.signal };
  for await (const point of mapConcurrent(slots, options, (slot) =>
    readListedPoint(dependencies, slot, call),
  )) {
    if (point !== undefined) points.push(point);
  }
  return points.sort((left, right) => (left.sessionId < right.sessionId ? -1 : 1));
}

/** The point with this id, whatever its series: one reading, and a listing of the domain. */
export async function findPoint(
  dependencies: ListDependencies,
  sessionId: string,
  call: StoreCall,
): Promise<RestorePoint | undefined> {
  for await (const { key } of dependencies.store.list(pointPrefix(dependencies.keys.domain), call)) {
    const slot = parseSlotName(key);
    if (slot?.session !== sessionId) continue;
    const isEnded = (await readTombstone(dependencies, slot, call)) === "signed";
    const point = isEnded ? undefined : await readListedPoint(dependencies, slot, call);
    if (point !== undefined) return point;
  }
  return undefined;
}

async function* listSlots(
  dependencies: ListDependencies,
  filter: { readonly series?: string },
  call: StoreCall,
): AsyncGenerator<SlotAddress> {
  const { keys, store } = dependencies;
  const series = filter.series === undefined ? undefined : seriesHash(keys, filter.series);
  const ended = new Set<string>();
  for await (const object of store.list(endPrefix(keys.domain, series), call))
    ended.add(endedKey(object.key));
  for await (const object of store.list(pointPrefix(keys.domain, series), call)) {
    const slot = parseSlotName(object.key);
    if (slot === undefined) continue;
    const isEnded =
      ended.has(endedKey(object.key)) && (await readTombstone(dependencies, slot, call)) === "signed";
    if (!isEnded) yield slot;
  }
}

function endedKey(key: string): string {
  return key.slice(-(32 + 1 + 16));
}

/** An unknown epoch may be a stranger's rubbish: it must not keep people from all other points. */
function isUnreadable(code: string): boolean {
  return code.startsWith("object-") || code === "repository-unsupported" || code === "keys-outdated";
}

/** What a slot holds, if it is a point that can be read. */
export async function readListedPoint(
  dependencies: ListDependencies,
  slot: SlotAddress,
  call: StoreCall,
): Promise<RestorePoint | undefined> {
  const record = await readListedRecord(dependencies, slot, call);
  return record === undefined ? undefined : describePoint({ keys: dependencies.keys }, record);
}

/** The records of the points that `listPoints` lists, in the order of their names. */
export async function* listRecords(
  dependencies: ListDependencies,
  call: StoreCall,
): AsyncGenerator<{ readonly slot: SlotAddress; readonly record: PointRecord }> {
  const options = { concurrency: readsAtOnce, signal: call.signal };
  const read = async (slot: SlotAddress) => ({
    slot,
    record: await readListedRecord(dependencies, slot, call),
  });
  for await (const { slot, record } of mapConcurrent(listSlots(dependencies, {}, call), options, read)) {
    if (record !== undefined) yield { slot, record };
  }
}

async function readListedRecord(
  dependencies: ListDependencies,
  slot: SlotAddress,
  call: StoreCall,
): Promise<PointRecord | undefined> {
  try {
    const content = await readSlot(dependencies, slot, call);
    return content?.state === "point" ? content.record : undefined;
  } catch (error) {
    if (isGarrisonError(error) && isUnreadable(error.code)) return undefined;
    throw error;
  }
}
