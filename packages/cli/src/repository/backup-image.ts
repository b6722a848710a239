import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { formatDuration, formatSize } from "@garrison/core/units";
import type { BackupSummary } from "@garrison/repository/backup/backup-plan";
import { backupVolumes } from "@garrison/repository/backup/backup-volumes";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import { requireCurrentKeys } from "@garrison/repository/keys/require-current-keys";
import { findNewestPoint } from "@garrison/repository/point/find-newest-point";
import { readOpenSession } from "@garrison/repository/backup/open-session";
import { readPoint, type RestorePoint } from "@garrison/repository/point/read-point";
import { newLaneId, newSessionId } from "@garrison/repository/point/session-id";
import type { CliContext } from "../cli-context.ts";
import { promiseOf } from "./lock-promise.ts";
import { openBackupSource, type OpenedSource } from "./open-backup-source.ts";
import { openNamedRepository, type OpenedRepository, type RepositoryFlags } from "./open-named-repository.ts";
import { requireKind } from "./require-kind.ts";
import { showProgress } from "./show-progress.ts";

export interface ImageBackupFlags extends RepositoryFlags {
  readonly name: string;
  readonly domain: string;
  readonly changed?: string;
  readonly resume?: string;
  readonly keepLocked?: string;
  readonly concurrency?: string;
  readonly verifySample?: string;
  readonly json?: true;
}

/** The one volume of a point that the command line makes. */
export const imageVolumeId = "image";

/** Backs up an image under a name; the newest restore point of that name is its parent. */
export async function backupImage(
  source: string,
  flags: ImageBackupFlags,
  context: CliContext,
): Promise<void> {
  if (flags.name.trim() === "") throw new GarrisonError("usage", "--name is empty");
  using opened = await openNamedRepository(flags, context);
  requireCurrentKeys(opened.repository);
  promiseOf(flags.keepLocked, { store: opened.store, clock: context.clock });
  const keys = opened.repository.domainKeys(flags.domain);
  const parent = await findParent(opened, { keys, flags }, context);
  requireKind(parent, "image");
  const request = { source, parent, ...(flags.changed === undefined ? {} : { changedFile: flags.changed }) };
  const read = await openBackupSource(request, context);
  try {
    await backupFrom(opened, { source, keys, flags, read, parent, after: parent?.sessionId }, context);
  } finally {
    await read.source.close();
  }
}

async function findParent(
  opened: OpenedRepository,
  wanted: { readonly keys: DomainKeys; readonly flags: ImageBackupFlags },
  context: CliContext,
): Promise<RestorePoint | undefined> {
  const dependencies = { store: opened.store, keys: wanted.keys };
  const { name, resume } = wanted.flags;
  if (resume === undefined) return findNewestPoint({ ...dependencies, clock: context.clock }, name, context);
  const open = await readOpenSession(dependencies, resume, context);
  const base = open.bases[0]?.session;
  return base === undefined ? undefined : readPoint(dependencies, { series: name, sessionId: base }, context);
}

interface ImageBackup {
  /** As it was named. */
  readonly source: string;
  readonly keys: DomainKeys;
  readonly flags: ImageBackupFlags;
  readonly read: OpenedSource;
  readonly parent: RestorePoint | undefined;
  /** The newest point of the name: the one that is made sorts behind it. */
  readonly after: string | undefined;
}

/** The session is over: nothing of it can be resumed. */
const finalCodes = [
  "source-invalid",
  "parent-unusable",
  "page-damaged",
  "changed-list-lied",
  "session-fenced",
  "session-taken",
];

/** What a parent that is lost, ended or damaged makes of a backup. */
const parentCodes = ["parent-unusable", "page-damaged", "object-damaged", "object-malformed"];

/**
 * A full read only compares with its parent: without it, when that can't be used, it stores every block anew. The changes
 * of `--changed` are worth nothing without theirs; a snapshot can be read in full instead, and so is anything whose list of
 * changes was caught lying.
 */
async function backupFrom(opened: OpenedRepository, backup: ImageBackup, context: CliContext): Promise<void> {
  const { flags, read, parent, source } = backup;
  try {
    report(await runBackup(opened, backup, context), backup, context);
  } catch (error) {
    if (parent === undefined || flags.resume !== undefined || !isGarrisonError(error)) throw error;
    const isLie = error.code === "changed-list-lied";
    if (!isLie && !parentCodes.includes(error.code)) throw error;
    const isListed = read.source.coverage === "changes";
    if (isListed && !isLie && !source.startsWith("ebs:")) throw error;
    const again = isListed ? await openBackupSource({ source, parent: undefined }, context) : read;
    const full = { ...backup, parent: isLie ? parent : undefined };
    const retried = { ...full, read: { ...again, fallbackReason: error.message } };
    try {
      report(await runBackup(opened, retried, context), retried, context);
    } finally {
      if (again !== read) await again.source.close();
    }
  }
}

async function runBackup(
  opened: OpenedRepository,
  { keys, flags, read, parent, after }: ImageBackup,
  context: CliContext,
): Promise<BackupSummary> {
  const { clock, random, logger } = context;
  const sessionId = flags.resume ?? newSessionId({ clock, random }, after);
  const { epoch } = opened.repository;
  const dataKey = opened.repository.sessionDataKey(flags.domain, sessionId, epoch);
  const progress = showProgress(flags.name, context);
  const dependencies = { store: opened.store, clock, random, logger, keys, onProgress: progress.update };
  const plan = {
    grant: { sessionId, laneId: newLaneId(random), epoch, dataKey },
    series: flags.name,
    volumes: [{ volumeId: imageVolumeId, source: read.source }],
    description: { kind: "image", source: read.source.identity },
    ...promiseOf(flags.keepLocked, { store: opened.store, clock }),
    ...(parent === undefined ? {} : { parent: parent.sessionId }),
    ...(flags.concurrency === undefined
      ? {}
      : { concurrency: countOf(flags.concurrency, "--concurrency", 64) }),
    ...(flags.verifySample === undefined
      ? {}
      : { verifySample: countOf(flags.verifySample, "--verify-sample", 100_000) }),
  };
  try {
    return await backupVolumes(dependencies, plan, context);
  } catch (error) {
    progress.finish();
    if (!isGarrisonError(error) || !finalCodes.includes(error.code))
      context.stderr.write(`garrison: what is stored so far can be used again: add --resume ${sessionId}\n`);
    throw error;
  } finally {
    progress.finish();
  }
}

function countOf(text: string, option: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new GarrisonError("usage", `${option} is a number from 1 to ${most}, not ${text}`);
}

function report(
  summary: BackupSummary,
  about: { readonly read: OpenedSource; readonly flags: ImageBackupFlags },
  context: CliContext,
): void {
  const volume = summary.volumes[0]!;
  const { fallbackReason, source } = about.read;
  const { name, domain, json } = about.flags;
  if (json === true) {
    const { volumeId: _, ...numbers } = volume;
    const reason = fallbackReason === undefined ? {} : { fallbackReason };
    const { point, durationMs } = summary;
    const { sizeBytes } = source;
    context.stdout.write(
      `${JSON.stringify({ point, name, domain, sizeBytes, ...numbers, ...reason, durationMs })}\n`,
    );
    return;
  }
  if (fallbackReason !== undefined) context.stderr.write(`garrison: read in full: ${fallbackReason}\n`);
  context.stdout.write(
    `${summary.point}  ${name}: read ${formatSize(Math.min(volume.bytesRead, source.sizeBytes))} of ${formatSize(source.sizeBytes)}` +
      ` (${volume.coverage}), stored ${formatSize(volume.bytesStored)} in ${volume.blocksStored} blocks,` +
      ` reused ${volume.blocksReused}, ${formatDuration(summary.durationMs)}\n`,
  );
}
