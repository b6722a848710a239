import { formatSize } from "@garrison/core/units";
import { seriesHash } from "@garrison/repository/format/object-names";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import { diffVolumes, type ChangedRange } from "@garrison/repository/point/diff-volumes";
import { readRecord, type RestorePoint } from "@garrison/repository/point/read-point";
import { openVolumeReader, type VolumeReader } from "@garrison/repository/point/volume-reader";
import type { CliContext } from "../cli-context.ts";
import { chooseVolume, findPoint } from "./find-point.ts";
import { openNamedRepository, type OpenedRepository, type RepositoryFlags } from "./open-named-repository.ts";

export interface ImageDiffFlags extends RepositoryFlags {
  readonly domain: string;
  readonly volume?: string;
  readonly json?: true;
}

/**
 * Prints where the second point differs from the first, as `--changed` reads it: one `{"offset", "length"}` a line. Reads
 * maps only.
 */
export async function diffImages(
  points: { readonly before: string; readonly after: string },
  flags: ImageDiffFlags,
  context: CliContext,
): Promise<void> {
  using opened = await openNamedRepository(flags, context);
  const keys = opened.repository.domainKeys(flags.domain);
  const find = (point: string) => findPoint({ store: opened.store, keys, point }, context);
  const before = await openReader(opened, { keys, point: await find(points.before), flags }, context);
  const after = await openReader(opened, { keys, point: await find(points.after), flags }, context);
  const changed: ChangedRange[] = [];
  let bytes = 0;
  for await (const range of diffVolumes(before, after)) {
    bytes += range.length;
    if (flags.json === true) changed.push(range);
    else context.stdout.write(`${JSON.stringify(range)}\n`);
  }
  if (flags.json === true) context.stdout.write(`${JSON.stringify({ changed, changedBytes: bytes })}\n`);
  else context.stderr.write(`${formatSize(bytes)} of ${formatSize(after.volume.sizeBytes)} differ\n`);
}

async function openReader(
  opened: OpenedRepository,
  wanted: { readonly keys: DomainKeys; readonly point: RestorePoint; readonly flags: ImageDiffFlags },
  context: CliContext,
): Promise<VolumeReader> {
  const { keys, point, flags } = wanted;
  const dependencies = { store: opened.store, keys };
  const { series, sessionId } = point;
  const { volumeId } = chooseVolume(point, flags.volume);
  const record = await readRecord(dependencies, { series, sessionId }, context);
  const volume = record.volumes.find((each) => each.volumeId === volumeId)!;
  return openVolumeReader(dependencies, { series: seriesHash(keys, series), volume }, context);
}
