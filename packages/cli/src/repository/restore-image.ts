import { stat } from "node:fs/promises";
import { GarrisonError } from "@garrison/core/garrison-error";
import { formatSize, GiB } from "@garrison/core/units";
import type { BlockTarget } from "@garrison/repository/disk/block-target";
import { openFileBlockTarget } from "@garrison/repository/disk/file-block-target";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import { findNewestPoint } from "@garrison/repository/point/find-newest-point";
import { findPoint } from "@garrison/repository/point/list-points";
import type { PointVolume, RestorePoint } from "@garrison/repository/point/read-point";
import { restoreVolume, type RestoreSummary } from "@garrison/repository/restore/restore-volume";
import type { CliContext } from "../cli-context.ts";
import { regionOf } from "../repository-address.ts";
import { openNamedRepository, type OpenedRepository, type RepositoryFlags } from "./open-named-repository.ts";
import { showProgress } from "./show-progress.ts";

export interface ImageRestoreFlags extends RepositoryFlags {
  readonly domain: string;
  readonly target: string;
  readonly volume?: string;
  readonly inPlace?: true;
  readonly json?: true;
}

/** Restores one volume of a point, named by its id or by its series' name (then the newest). */
export async function restoreImage(
  point: string,
  flags: ImageRestoreFlags,
  context: CliContext,
): Promise<void> {
  using opened = await openNamedRepository(flags, context);
  const keys = opened.repository.domainKeys(flags.domain);
  const found = await findNamed({ store: opened.store, keys, point }, context);
  const volume = chooseVolume(found, flags.volume);
  const place = { target: flags.target, sizeBytes: volume.sizeBytes, inPlace: flags.inPlace === true };
  const target = await openTarget(place, found, context);
  try {
    const summary = await runRestore(opened, { keys, flags, found, volume, target }, context);
    const snapshotId = await target.publish?.(summary);
    report({ summary, found, snapshotId }, flags, context);
  } finally {
    await target.blocks.close();
  }
}

async function findNamed(
  wanted: { readonly store: OpenedRepository["store"]; readonly keys: DomainKeys; readonly point: string },
  context: CliContext,
): Promise<RestorePoint> {
  if (/^[0-9a-f]{16}$/.test(wanted.point)) {
    const found = await findPoint(wanted, wanted.point, context);
    if (found !== undefined) return found;
  }
  const newest = await findNewestPoint({ ...wanted, clock: context.clock }, wanted.point, context);
  if (newest !== undefined) return newest;
  throw new GarrisonError(
    "point-missing",
    `no restore point has the id or name ${wanted.point} in ${wanted.keys.domain}`,
  );
}

function chooseVolume(point: RestorePoint, wanted: string | undefined): PointVolume {
  if (wanted === undefined && point.volumes.length === 1) return point.volumes[0]!;
  const found = point.volumes.find((volume) => volume.volumeId === wanted || volume.deviceName === wanted);
  if (found !== undefined) return found;
  const names = point.volumes.map((volume) => volume.volumeId).join(", ");
  throw new GarrisonError("usage", `choose a volume of the restore point with --volume: ${names}`);
}

interface RestoreTarget {
  readonly blocks: BlockTarget;
  /** Makes the restored disk usable and answers its name. */
  readonly publish?: (summary: RestoreSummary) => Promise<string>;
}

interface TargetPlace {
  readonly target: string;
  readonly sizeBytes: number;
  readonly inPlace: boolean;
}

async function openTarget(
  place: TargetPlace,
  point: RestorePoint,
  context: CliContext,
): Promise<RestoreTarget> {
  if (place.target === "ebs:new") return openEbsTarget(place, point, context);
  if (place.target.startsWith("ebs:")) throw new GarrisonError("usage", "an EBS target is ebs:new");
  const isDevice = await stat(place.target).then(
    (facts) => facts.isBlockDevice(),
    () => false,
  );
  const { sizeBytes } = place;
  return {
    blocks: await openFileBlockTarget({ path: place.target, sizeBytes, inPlace: place.inPlace || isDevice }),
  };
}

async function openEbsTarget(
  place: TargetPlace,
  point: RestorePoint,
  context: CliContext,
): Promise<RestoreTarget> {
  const { openDataClients } = await import("@garrison/aws/data-clients");
  const { openEbsSnapshotTarget } = await import("@garrison/aws/ebs-snapshot-target");
  const { startRestoreSnapshot, completeRestoreSnapshot } =
    await import("@garrison/aws/ec2/restore-snapshot");
  const clients = openDataClients({ region: regionOf(context) });
  const { clock, random } = context;
  const request = {
    sizeGiB: Math.ceil(place.sizeBytes / GiB),
    description: `Garrison: ${point.name} of ${new Date(point.createdAtMs).toISOString()}`,
    token: Buffer.from(random.bytes(16)).toString("hex"),
    tags: {},
  };
  const { snapshotId } = await startRestoreSnapshot(clients, request, context);
  return {
    blocks: openEbsSnapshotTarget({ clients, clock, random, snapshotId }),
    async publish(summary) {
      const { blocksWritten: blocks, linearChecksum } = summary;
      await completeRestoreSnapshot(clients, { snapshotId, blocks, linearChecksum }, context);
      return snapshotId;
    },
  };
}

interface ImageRestore {
  readonly keys: DomainKeys;
  readonly flags: ImageRestoreFlags;
  readonly found: RestorePoint;
  readonly volume: PointVolume;
  readonly target: RestoreTarget;
}

async function runRestore(
  opened: OpenedRepository,
  { keys, flags, found, volume, target }: ImageRestore,
  context: CliContext,
): Promise<RestoreSummary> {
  const progress = showProgress(found.name, context);
  const sessionKeys = (session: string, epoch: number) =>
    opened.repository.sessionDataKey(flags.domain, session, epoch);
  const { logger } = context;
  try {
    return await restoreVolume(
      { store: opened.store, keys, sessionKeys, logger, onProgress: progress.update },
      { series: found.series, point: found.sessionId, volumeId: volume.volumeId, target: target.blocks },
      context,
    );
  } finally {
    progress.finish();
  }
}

function report(
  restored: {
    readonly summary: RestoreSummary;
    readonly found: RestorePoint;
    readonly snapshotId?: string | undefined;
  },
  flags: ImageRestoreFlags,
  context: CliContext,
): void {
  const { summary, found, snapshotId } = restored;
  const target = snapshotId === undefined ? flags.target : `ebs:${snapshotId}`;
  if (flags.json === true) {
    context.stdout.write(
      `${JSON.stringify({ point: found.sessionId, name: found.name, target, ...summary })}\n`,
    );
    return;
  }
  const { bytesWritten, blocksWritten, sizeBytes } = summary;
  context.stdout.write(
    `${found.name} of ${new Date(found.createdAtMs).toISOString()} -> ${target}: wrote ${formatSize(bytesWritten)}` +
      ` in ${blocksWritten} blocks of a volume of ${formatSize(sizeBytes)}\n`,
  );
}
