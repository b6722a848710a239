import { stat } from "node:fs/promises";
import { GarrisonError } from "@garrison/core/garrison-error";
import { formatSize, GiB } from "@garrison/core/units";
import type { BlockTarget } from "@garrison/repository/disk/block-target";
import { openFileBlockTarget } from "@garrison/repository/disk/file-block-target";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import type { PointVolume, RestorePoint } from "@garrison/repository/point/read-point";
import { requireWholeVolume } from "@garrison/repository/restore/require-whole";
import { restoreVolume, type RestoreSummary } from "@garrison/repository/restore/restore-volume";
import type { CliContext } from "../cli-context.ts";
import { regionOf } from "../repository-address.ts";
import { chooseVolume, findPoint } from "./find-point.ts";
import { openNamedRepository, type OpenedRepository, type RepositoryFlags } from "./open-named-repository.ts";
import { showProgress } from "./show-progress.ts";

export interface ImageRestoreFlags extends RepositoryFlags {
  readonly domain: string;
  readonly target: string;
  readonly volume?: string;
  readonly inPlace?: true;
  readonly skipDamaged?: true;
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
  const found = await findPoint({ store: opened.store, keys, point }, context);
  const volume = chooseVolume(found, flags.volume);
  if (flags.skipDamaged !== true) {
    const wanted = { series: found.series, point: found.sessionId, volumeId: volume.volumeId };
    await requireWholeVolume({ store: opened.store, keys, logger: context.logger }, wanted, context);
  }
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
      {
        series: found.series,
        point: found.sessionId,
        volumeId: volume.volumeId,
        target: target.blocks,
        skipDamaged: flags.skipDamaged === true,
      },
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
  if (summary.lost.length > 0) context.setExitCode(1);
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
  for (const { offset, length } of summary.lost) {
    context.stdout.write(`lost: bytes ${offset}-${offset + length - 1} are zero in the target\n`);
  }
}
