import { packName, type PackKind, type PackName } from "../format/object-names.ts";
import type { ItemAddress } from "../format/page-reference.ts";
import type { PointRecord } from "../format/point-record.ts";
import type { SessionBase } from "../format/session-objects.ts";
import { openForwardReader, type ForwardReader } from "../point/forward-reader.ts";
import { readSlot } from "../point/read-slot.ts";
import { readPackUses } from "../point/read-pack-uses.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import type { StoreCall } from "../store/object-store.ts";
import { countReferences } from "./count-references.ts";
import type { PruneDependencies } from "./prune-plan.ts";

/** Items of one pack that roots refer to: length by offset, as their addresses have it. */
export type LiveItems = Map<number, number>;

/** By name of the pack that the addresses name. */
export type Survivors = Map<string, LiveItems>;

export function originKey(kind: PackKind, name: PackName): string {
  return `${kind}/${name.session}/${name.lane}/${name.number}`;
}

/**
 * Fills in which items of the wanted packs any root still refers to, by walking the maps of those that mention one, each
 * where it differs from the point of the volume before. Answers false when a root can't be read as a whole any more: what
 * it needs is then not known, and nothing may be moved.
 */
export async function findSurvivors(
  pruner: PruneDependencies,
  wanted: { readonly roots: readonly SessionBase[]; readonly survivors: Survivors },
  call: StoreCall,
): Promise<boolean> {
  const walk: Walk = { pruner, forwards: openForwardReader(pruner), ...wanted, before: new Map() };
  let series: string | undefined;
  for (const root of wanted.roots) {
    if (root.series !== series) walk.before.clear();
    series = root.series;
    const content = await readSlot(pruner, root, call);
    if (content?.state !== "point") return false;
    await walkPoint(walk, { series, record: content.record }, call);
  }
  return true;
}

interface Walk {
  readonly pruner: PruneDependencies;
  readonly forwards: ForwardReader;
  readonly survivors: Survivors;
  /** The point before of each volume of the series: what both share has been seen, or holds nothing wanted. */
  readonly before: Map<string, VolumeReader>;
}

async function walkPoint(
  walk: Walk,
  point: { readonly series: string; readonly record: PointRecord },
  call: StoreCall,
): Promise<void> {
  for (const volume of point.record.volumes) {
    for (const part of [...volume.tables, ...volume.hooks]) note(walk.survivors, "map", part);
    const dependencies = { ...walk.pruner, forwards: walk.forwards };
    const reader = openVolumeReader(dependencies, { series: point.series, volume }, call);
    const mentioned = new Set<PackKind>();
    for (const use of await readPackUses(dependencies, { series: point.series, volume }, call))
      if (walk.survivors.has(originKey(use.kind, use))) mentioned.add(use.kind);
    const withLeaves = mentioned.has("pack");
    if (mentioned.size > 0) {
      const before = walk.before.get(volume.volumeId);
      await countReferences(
        { reader, before, withLeaves },
        (kind, address, difference) => {
          if (difference > 0) note(walk.survivors, kind, address);
        },
        call,
      );
    }
    walk.before.set(volume.volumeId, reader);
  }
}

function note(survivors: Survivors, kind: PackKind, address: ItemAddress): void {
  const name = { session: address.session, lane: address.lane, number: address.pack };
  survivors.get(originKey(kind, name))?.set(address.offset, address.length);
}

/** For messages. */
export function nameOfPack(pruner: PruneDependencies, pack: PackName & { readonly kind: PackKind }): string {
  return packName(pruner.keys.domain, pack.kind, pack);
}
