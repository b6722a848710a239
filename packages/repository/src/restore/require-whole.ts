import { GarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import type { DomainKeys } from "../keys/keys.ts";
import { seriesHash } from "../format/object-names.ts";
import { readRecord } from "../point/read-point.ts";
import { openVolumeReader, type VolumeReader } from "../point/volume-reader.ts";
import { formatSpans, type ByteSpan } from "../repair/block-runs.ts";
import { coverForwarded } from "../repair/cover-forwarded.ts";
import { findLosses, lostRuns } from "../repair/find-losses.ts";
import { loadKnownLosses } from "../repair/findings-note.ts";
import { measureLoss } from "../repair/measure-loss.ts";
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
 * Throws `point-damaged` with the lost byte ranges when a check has noted that bytes of the volume (or of the part of it
 * that is wanted) are lost: nothing is written then. One listing where nothing is noted.
 */
export async function requireWhole(
  dependencies: WholeDependencies,
  wanted: { readonly reader: VolumeReader; readonly point: string; readonly part?: ByteSpan },
  call: StoreCall,
): Promise<void> {
  const { lost } = await loadKnownLosses(dependencies, call);
  if (lost.isEmpty) return;
  await coverForwarded(dependencies, lost, call);
  const { reader, part } = wanted;
  const { volumeId, sizeBytes } = reader.volume;
  const { offset, length } = part ?? { offset: 0, length: sizeBytes };
  const { spans } = await measureLoss(reader, lostRuns(await findLosses({ reader, lost }, call)));
  const ranges = spans.filter((span) => span.offset < offset + length && span.offset + span.length > offset);
  if (ranges.length === 0) return;
  throw new GarrisonError(
    "point-damaged",
    `restore point ${wanted.point} has lost bytes ${formatSpans(ranges)} of ${volumeId}`,
    { details: { volumeId, ranges } },
  );
}
