import type { PackAddress } from "../format/pack-container.ts";
import { isDamage } from "../point/is-damage.ts";
import { readSlot, readTombstone, type SlotAddress } from "../point/read-slot.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import type { BlockRun } from "../repair/block-runs.ts";
import { findLosses, lostRuns, type VolumeLosses } from "../repair/find-losses.ts";
import type { VolumeLoss } from "../repair/findings-note.ts";
import { packKey, packOf } from "../repair/lost-items.ts";
import { measureLoss } from "../repair/measure-loss.ts";
import type { StoreCall } from "../store/object-store.ts";
import type { DomainCheck } from "./check-plan.ts";

/**
 * Finds out which bytes of which points are hit by what the damage list holds as lost, and tells it to the list. What
 * successive points share is looked at once.
 */
export async function* attributeLosses(
  check: DomainCheck,
  points: readonly SlotAddress[],
  call: StoreCall,
): AsyncGenerator<VolumeLoss> {
  const { lost } = check.damage;
  let known = new Map<string, VolumeLosses>();
  let series = "";
  for (const slot of points) {
    if (slot.series !== series) known = new Map();
    ({ series } = slot);
    for (const reader of await readersOf(check, slot, call)) {
      const { volumeId } = reader.volume;
      const search = { reader, lost, before: known.get(volumeId), onDamage: addPage(check) };
      const losses = await findLosses(search, call);
      known.set(volumeId, losses);
      const loss = await report(check, { slot, losses });
      if (loss !== undefined) yield loss;
    }
  }
}

function addPage(check: DomainCheck): NonNullable<Parameters<typeof findLosses>[0]["onDamage"]> {
  return (pack, { offset }, { code, message }) => check.damage.addItem({ pack, code, message }, offset);
}

/** A point that has ended meanwhile, or whose record can't be read, has nothing that could be lost. */
async function readersOf(
  check: DomainCheck,
  slot: SlotAddress,
  call: StoreCall,
): Promise<readonly VolumeReader[]> {
  try {
    const content = await readSlot(check, slot, call);
    if (content?.state !== "point" || (await readTombstone(check, slot, call)) === "signed") return [];
    return content.record.volumes.map((volume) =>
      openVolumeReader(check, { series: slot.series, volume }, call),
    );
  } catch (error) {
    if (isDamage(error)) return [];
    throw error;
  }
}

/** Adds the volume to the findings of all packs that it lost something with. */
async function report(
  check: DomainCheck,
  hit: { readonly slot: SlotAddress; readonly losses: VolumeLosses },
): Promise<VolumeLoss | undefined> {
  const { slot, losses } = hit;
  const { reader } = losses;
  const { volume } = reader;
  const byPack = new Map<string, { readonly pack: PackAddress; readonly runs: BlockRun[] }>();
  const add = (pack: PackAddress, runs: readonly BlockRun[]) => {
    const found = byPack.get(packKey(pack)) ?? { pack, runs: [] };
    byPack.set(packKey(pack), found);
    found.runs.push(...runs);
  };
  for (const { pack, run } of [...losses.byLeaf.values()].flat()) add(pack, [run]);
  for (const part of [...volume.tables, ...volume.hooks]) {
    if (check.damage.lost.has("map", part)) add(packOf("map", part), []);
  }
  if (byPack.size === 0) return undefined;
  const about = { series: slot.series, point: slot.session, volumeId: volume.volumeId };
  for (const { pack, runs } of byPack.values()) {
    await check.damage.addHit(pack, async () => ({
      ...about,
      ranges: (await measureLoss(reader, runs)).spans,
    }));
  }
  return { ...about, blocks: (await measureLoss(reader, lostRuns(losses))).blocks };
}
