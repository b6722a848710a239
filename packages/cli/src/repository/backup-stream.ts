import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { formatDuration, formatSize } from "@garrison/core/units";
import type { BackupSummary } from "@garrison/repository/backup/backup-plan";
import { readOpenSession } from "@garrison/repository/backup/open-session";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import { requireCurrentKeys } from "@garrison/repository/keys/require-current-keys";
import { findNewestPoint } from "@garrison/repository/point/find-newest-point";
import type { RestorePoint } from "@garrison/repository/point/read-point";
import { newLaneId, newSessionId } from "@garrison/repository/point/session-id";
import { backupStream } from "@garrison/repository/stream/backup-stream";
import type { CliContext } from "../cli-context.ts";
import { promiseOf } from "./lock-promise.ts";
import { openNamedRepository, type OpenedRepository, type RepositoryFlags } from "./open-named-repository.ts";
import { openStreamInput, requireStreamInput, type StreamInput } from "./open-stream-input.ts";
import { requireKind } from "./require-kind.ts";
import { showProgress } from "./show-progress.ts";

export interface StreamBackupFlags extends RepositoryFlags {
  readonly name: string;
  readonly domain: string;
  readonly resume?: string;
  readonly keepLocked?: string;
  readonly json?: true;
}

interface StreamBackup {
  readonly keys: DomainKeys;
  readonly flags: StreamBackupFlags;
  readonly input: StreamInput;
  /** The newest point of the name: the one that is made sorts behind it. */
  readonly newest: RestorePoint | undefined;
}

/** Backs up standard input, or the output of `command`, under a name; its newest restore point is the parent. */
export async function backupStreamInput(
  command: readonly string[],
  flags: StreamBackupFlags,
  context: CliContext,
): Promise<void> {
  if (flags.name.trim() === "") throw new GarrisonError("usage", "--name is empty");
  // First, so that no password is asked for on the terminal that is refused.
  requireStreamInput(command, context);
  using opened = await openNamedRepository(flags, context);
  requireCurrentKeys(opened.repository);
  promiseOf(flags.keepLocked, { store: opened.store, clock: context.clock });
  const keys = opened.repository.domainKeys(flags.domain);
  const newest = await findNewestPoint(
    { store: opened.store, keys, clock: context.clock },
    flags.name,
    context,
  );
  requireKind(newest, "stream");
  if (flags.resume !== undefined) await readOpenSession({ store: opened.store, keys }, flags.resume, context);
  const input = openStreamInput(command, context);
  try {
    report(await runBackup(opened, { keys, flags, input, newest }, context), flags, context);
  } finally {
    await input.close();
  }
}

/** The session is over: nothing of it can be resumed. */
const finalCodes = [
  "source-invalid",
  "producer-failed",
  "session-fenced",
  "session-taken",
  "session-changed",
];

async function runBackup(
  opened: OpenedRepository,
  { keys, flags, input, newest }: StreamBackup,
  context: CliContext,
): Promise<BackupSummary> {
  const { clock, random, logger } = context;
  const sessionId = flags.resume ?? newSessionId({ clock, random }, newest?.sessionId);
  const { epoch } = opened.repository;
  const dataKey = opened.repository.sessionDataKey(flags.domain, sessionId, epoch);
  const progress = showProgress(flags.name, context);
  const dependencies = { store: opened.store, clock, random, logger, keys, onProgress: progress.update };
  const plan = {
    grant: { sessionId, laneId: newLaneId(random), epoch, dataKey },
    series: flags.name,
    identity: input.identity,
    input: input.bytes,
    description: { kind: "stream", source: input.identity },
    ...promiseOf(flags.keepLocked, { store: opened.store, clock }),
    ...(newest === undefined || newest.sessionId === sessionId ? {} : { parent: newest.sessionId }),
  };
  try {
    return await backupStream(dependencies, plan, context);
  } catch (error) {
    progress.finish();
    if (!isGarrisonError(error) || !finalCodes.includes(error.code)) {
      const how = `make the stream once more and add --resume ${sessionId}`;
      context.stderr.write(`garrison: what is stored so far can be used again: ${how}\n`);
    }
    throw error;
  } finally {
    progress.finish();
  }
}

function report(summary: BackupSummary, flags: StreamBackupFlags, context: CliContext): void {
  const { point, durationMs } = summary;
  const { name, domain } = flags;
  const volume = summary.volumes[0]!;
  const { bytesRead: sizeBytes, bytesStored } = volume;
  const [chunks, chunksStored, chunksReused] = [
    volume.blocksListed,
    volume.blocksStored,
    volume.blocksReused,
  ];
  const chunksResumed = volume.blocksResumed;
  if (flags.json === true) {
    const numbers = { sizeBytes, bytesStored, chunks, chunksStored, chunksReused, chunksResumed };
    context.stdout.write(`${JSON.stringify({ point, name, domain, ...numbers, durationMs })}\n`);
    return;
  }
  const resumed = chunksResumed === 0 ? "" : `, resumed ${chunksResumed}`;
  context.stdout.write(
    `${point}  ${name}: read ${formatSize(sizeBytes)}, stored ${formatSize(bytesStored)} in ${chunksStored} chunks,` +
      ` reused ${chunksReused}${resumed}, ${formatDuration(durationMs)}\n`,
  );
}
