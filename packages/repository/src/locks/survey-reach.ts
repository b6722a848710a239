import { PackSet } from "../check/pack-set.ts";
import type { PackUse } from "../format/pack-table.ts";
import type { PointRecord } from "../format/point-record.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { openForwardReader } from "../point/forward-reader.ts";
import { listRecords } from "../point/list-points.ts";
import type { SlotAddress } from "../point/read-slot.ts";
import type { PageReaderDependencies } from "../point/page-reader.ts";
import { readPackUses } from "../point/read-pack-uses.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

/** A restore point with a promise, and the sessions that hold what it consists of. */
export interface PromisedPoint extends SlotAddress {
  readonly name: string;
  readonly createdAtMs: number;
  readonly promisedUntilMs: number;
  readonly sessions: ReadonlySet<string>;
}

export interface Reach {
  readonly promised: readonly PromisedPoint[];
  /** Points that promise nothing, or nothing any more. */
  readonly unpromised: number;
  /** The latest promise of the points that reach something of a session. */
  readonly promises: ReadonlyMap<string, number>;
  /** What promised points reach, by session: one bit a pack. */
  readonly packs: ReadonlyMap<string, PackSet>;
}

/** Reads the pack tables of all points that count and whose promise isn't over by `nowMs`. */
export async function surveyReach(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys },
  nowMs: number,
  call: StoreCall,
): Promise<Reach> {
  const promised: PromisedPoint[] = [];
  const promises = new Map<string, number>();
  const packs = new Map<string, PackSet>();
  const reading = { ...dependencies, forwards: openForwardReader(dependencies) };
  let unpromised = 0;
  for await (const { slot, record } of listRecords(dependencies, call)) {
    const { name, createdAtMs, promisedUntilMs } = record;
    if (promisedUntilMs === undefined || promisedUntilMs <= nowMs) {
      unpromised++;
      continue;
    }
    const sessions = new Set([record.session]);
    for await (const use of listReach(reading, { slot, record }, call)) {
      sessions.add(use.session);
      const set = packs.get(use.session) ?? new PackSet();
      packs.set(use.session, set);
      set.add(use);
    }
    promised.push({ ...slot, name, createdAtMs, promisedUntilMs, sessions });
    for (const session of sessions)
      promises.set(session, Math.max(promises.get(session) ?? 0, promisedUntilMs));
  }
  return { promised, unpromised, promises, packs };
}

type PackPlace = Pick<PackUse, "kind" | "session" | "lane" | "number">;

/** Every pack that a point needs, its tables and hooks included. */
async function* listReach(
  dependencies: PageReaderDependencies,
  point: { readonly slot: SlotAddress; readonly record: PointRecord },
  call: StoreCall,
): AsyncGenerator<PackPlace> {
  const { slot, record } = point;
  const { session, lane } = record;
  for (const { number } of record.tablePacks) yield { kind: "map", session, lane, number };
  for (const volume of record.volumes) {
    for (const part of [...volume.tables, ...volume.hooks])
      yield { kind: "map", session: part.session, lane: part.lane, number: part.pack };
    yield* await readPackUses(dependencies, { series: slot.series, volume }, call);
  }
}
