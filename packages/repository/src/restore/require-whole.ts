import { GarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import { blockSizeBytes } from "../disk/block-source.ts";
import type { DomainKeys } from "../keys/keys.ts";
import { seriesHash } from "../format/object-names.ts";
import { readRecord } from "../point/read-point.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import { clipRuns, formatSpans, joinRuns, spansOf } from "../repair/block-runs.ts";
import { coverForwarded } from "../repair/cover-forwarded.ts";
import { findLosses, lostRuns } from "../repair/find-losses.ts";
import { loadKnownLosses } from "../repair/findings-note.ts";
import type { ObjectStore, StoreCall } from "../store/object-store.ts";

interface WholeDependencies {
  readonly store: ObjectStore;
  readonly keys: DomainKeys;
  readonly logger: Logger;
}

/** As `requireWhole`, for whoever has not opened the volume yet: before a target is made. */
export async function requireWholeVolume(
  dependencies: WholeDependencies,
  wanted: { readonly series: string; readonly point: string; readonly volumeId: string },
  call: StoreCall,
): Promise<void> {
  const { series, point, volumeId } = wanted;
  const record = await readRecord(dependencies, { series, sessionId: point }, call);
  const volume = record.volumes.find((each) => each.volumeId === volumeId);
  if (volume === undefined) return;
  const reader = openVolumeReader(
    dependencies,
    { series: seriesHash(dependencies.keys, series), volume },
    call,
  );
  await requireWhole(dependencies, { reader, point }, call);
}

/**
 * Throws `point-damaged` with the lost byte ranges when a check has noted that blocks of the volume are lost: nothing is
 * written then. One listing where nothing is noted.
 */
export async function requireWhole(
  dependencies: WholeDependencies,
  wanted: { readonly reader: VolumeReader; readonly point: string },
  call: StoreCall,
): Promise<void> {
  const { lost } = await loadKnownLosses(dependencies, call);
  if (lost.isEmpty) return;
  await coverForwarded(dependencies, lost, call);
  const { volumeId, sizeBytes } = wanted.reader.volume;
  const runs = lostRuns(await findLosses({ reader: wanted.reader, lost }, call));
  const ranges = spansOf(clipRuns(joinRuns(runs), Math.ceil(sizeBytes / blockSizeBytes)), sizeBytes);
  if (ranges.length === 0) return;
  throw new GarrisonError(
    "point-damaged",
    `restore point ${wanted.point} has lost bytes ${formatSpans(ranges)} of ${volumeId}`,
    { details: { volumeId, ranges } },
  );
}
