import { GarrisonError } from "@garrison/core/garrison-error";
import { isTableDamage } from "../point/is-table-damage.ts";
import type { SessionPlan } from "./backup-plan.ts";
import type { BackupRun } from "./backup-run.ts";
import type { VolumeResult } from "./backup-volume.ts";
import { packName, type PackKind } from "../format/object-names.ts";
import type { PackTable, PackUse } from "../format/pack-table.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";

const packKinds: readonly PackKind[] = ["pack", "map"];

/** Gives each pack of the table its size and item count: from this session, or from a base's table. */
export async function describePacks(run: BackupRun<SessionPlan>, result: VolumeResult): Promise<void> {
  const { table } = result.map;
  let unknown = describeFrom(table, run.packFacts);
  for (const reader of baseVolumes(run, result)) {
    if (unknown === undefined) return;
    const facts = await readFacts(run, reader);
    if (facts !== undefined) unknown = describeFrom(table, facts);
  }
  if (unknown === undefined) return;
  throw new GarrisonError(
    "parent-unusable",
    `no base of the session says how large ${packName(run.dependencies.keys.domain, unknown.kind, unknown)} is`,
  );
}

/** A table that can't be read may be one that nobody needs. */
async function readFacts(run: BackupRun<SessionPlan>, reader: VolumeReader): Promise<PackTable | undefined> {
  try {
    return await reader.table();
  } catch (error) {
    if (!isTableDamage(error)) throw error;
    const { volumeId } = reader.volume;
    run.dependencies.logger.warn({ volumeId, code: error.code }, "the pack table of a base is not readable");
    return undefined;
  }
}

/** Takes over what `facts` knows; answers one of the packs that nothing is known of still. */
function describeFrom(table: PackTable, facts: PackTable): PackUse | undefined {
  let unknown: PackUse | undefined;
  for (const kind of packKinds) {
    for (const use of table.uses(kind)) {
      if (use.sizeBytes > 0) continue;
      const known = facts.find(kind, use);
      if (known === undefined || known.sizeBytes === 0) unknown = use;
      else table.describe(kind, use, known);
    }
  }
  return unknown;
}

/** The volumes whose tables may know a pack: the parent's first. */
function* baseVolumes(run: BackupRun<SessionPlan>, result: VolumeResult): Generator<VolumeReader> {
  if (result.parent !== undefined) yield result.parent;
  for (const { base, record } of run.bases.held) {
    for (const volume of record.volumes)
      yield openVolumeReader(run.dependencies, { series: base.series, volume }, run.call);
  }
}
