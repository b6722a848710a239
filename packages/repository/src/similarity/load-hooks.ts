import type { Logger } from "@garrison/core/logger";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import type { PackedHooks } from "../format/hooks.ts";
import type { PointRecord, RecordVolume } from "../format/point-record.ts";
import type { SessionBase } from "../format/session-objects.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { readSlot } from "../point/read-slot.ts";
import { openVolumeReader } from "../point/volume-reader.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";
import { maxCandidates } from "./list-candidates.ts";
import { IdTable } from "./id-table.ts";
import { passOver } from "./pass-over.ts";

/** A volume of a candidate: what a hook stands for. */
export interface CandidateVolume {
  readonly point: SessionBase;
  readonly volumeId: string;
}

/** The hooks of all candidates, by id prefix. */
export interface HookTable {
  readonly table: IdTable;
  /** The volumes of the best candidates, with the roots of their maps. */
  readonly best: readonly (CandidateVolume & { readonly record: RecordVolume })[];
  find(id: Uint8Array): { readonly volume: CandidateVolume; readonly leaf: number } | undefined;
}

/** 12 MiB of table; 25 TiB of stored blocks have that many. */
const maxHooks = 786_432;
const maxRecordReads = maxCandidates + 32;
const maxHookReads = 64;
const candidatesAtOnce = 4;
const bestVolumes = 8;
/** A leaf number of a volume of 64 TiB. */
const leafBits = 18;
const maxVolumes = 2 ** (32 - leafBits);

interface LoadedVolume extends CandidateVolume {
  record: RecordVolume | undefined;
  readonly hooks: PackedHooks;
}

/**
 * Reads the hooks of the candidates, best first, into one table; where two hold the same block, the better one counts. At
 * most 96 records and 64 parts of hooks are read; what is not readable is left out. Nothing when no point holds anything.
 */
export async function loadHooks(
  dependencies: { readonly store: ObjectStore; readonly keys: DomainKeys; readonly logger: Logger },
  candidates: readonly (readonly SessionBase[])[],
  call: StoreCall,
): Promise<HookTable | undefined> {
  const budget = { records: maxRecordReads, parts: maxHookReads };
  const loader = { ...dependencies, budget };
  const volumes: LoadedVolume[] = [];
  let hooks = 0;
  const options = { concurrency: candidatesAtOnce, signal: call.signal };
  const loaded = mapConcurrent(candidates, options, (group) => loadCandidate(loader, group, call));
  for await (const found of loaded) {
    volumes.push(...found);
    // Roots are large, and only those of the best are looked at before a hook is met.
    for (const volume of volumes.slice(bestVolumes)) volume.record = undefined;
    hooks += found.reduce((sum, volume) => sum + volume.hooks.length, 0);
    if (hooks >= maxHooks || volumes.length >= maxVolumes) break;
  }
  return volumes.length === 0
    ? undefined
    : fillTable(volumes.slice(0, maxVolumes), Math.min(hooks, maxHooks));
}

type Loader = {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly logger: Logger;
  readonly budget: { records: number; parts: number };
};

/** The first of a group that is a point, with the hooks of its volumes. */
async function loadCandidate(
  loader: Loader,
  group: readonly SessionBase[],
  call: StoreCall,
): Promise<readonly LoadedVolume[]> {
  for (const point of group) {
    if (loader.budget.records-- <= 0) return [];
    const record = await passOver({ ...loader, point: point.session }, async () => {
      const content = await readSlot(loader, point, call);
      return content?.state === "point" ? content.record : undefined;
    });
    if (record !== undefined) return loadVolumes(loader, { point, record }, call);
  }
  return [];
}

async function loadVolumes(
  loader: Loader,
  { point, record }: { readonly point: SessionBase; readonly record: PointRecord },
  call: StoreCall,
): Promise<readonly LoadedVolume[]> {
  const volumes: LoadedVolume[] = [];
  // Streams are cut elsewhere: they hold no blocks.
  for (const volume of record.volumes.filter((each) => each.kind !== "stream")) {
    if (volume.blocksHeld === 0) continue;
    if (volume.hooks.length > loader.budget.parts) break;
    loader.budget.parts -= volume.hooks.length;
    const reader = openVolumeReader(loader, { series: point.series, volume }, call);
    const hooks = await passOver({ ...loader, point: point.session }, () => reader.hooks());
    if (hooks !== undefined) volumes.push({ point, volumeId: volume.volumeId, record: volume, hooks });
  }
  return volumes;
}

function fillTable(volumes: readonly LoadedVolume[], hooks: number): HookTable {
  const table = IdTable.withRoomFor(hooks);
  for (const [number, volume] of volumes.entries()) {
    for (const { idPrefix, leaf } of volume.hooks) {
      if (leaf < 2 ** leafBits) table.add(idPrefix, number * 2 ** leafBits + leaf);
    }
  }
  const owners: readonly CandidateVolume[] = volumes.map(({ point, volumeId }) => ({ point, volumeId }));
  const best = volumes.flatMap(({ point, volumeId, record }) =>
    record === undefined ? [] : [{ point, volumeId, record }],
  );
  return {
    table,
    best,
    find(id) {
      const value = table.find(id);
      return value === undefined
        ? undefined
        : { volume: owners[Math.floor(value / 2 ** leafBits)]!, leaf: value % 2 ** leafBits };
    },
  };
}
