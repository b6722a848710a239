import { open, unlink } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import type { RestorePoint } from "@garrison/repository/point/read-point";
import { restoreStream, type StreamRestoreSummary } from "@garrison/repository/stream/restore-stream";
import type { CliContext } from "../cli-context.ts";
import { findPoint } from "./find-point.ts";
import { openNamedRepository, type OpenedRepository, type RepositoryFlags } from "./open-named-repository.ts";
import { requireKind } from "./require-kind.ts";
import { showProgress } from "./show-progress.ts";

export interface StreamRestoreFlags extends RepositoryFlags {
  readonly domain: string;
  readonly target?: string;
  readonly offset?: string;
  readonly length?: string;
  readonly json?: true;
}

/** Writes a stream to standard output or into a new file; everything else that is said goes to standard error. */
export async function restoreStreamPoint(
  point: string,
  flags: StreamRestoreFlags,
  context: CliContext,
): Promise<void> {
  if (flags.target === undefined && flags.json === true) {
    throw new GarrisonError("usage", "--json needs --target: standard output is the stream's");
  }
  if (flags.target === undefined && context.stdout.isTTY === true) {
    throw new GarrisonError("terminal-refused", "standard output is a terminal: a stream would garble it");
  }
  const part = { ...countOf("offset", flags.offset), ...countOf("length", flags.length) };
  using opened = await openNamedRepository(flags, context);
  const keys = opened.repository.domainKeys(flags.domain);
  const found = await findPoint({ store: opened.store, keys, point }, context);
  requireKind(found, "stream");
  const target = flags.target === undefined ? openOutput(context) : await openFile(flags.target);
  try {
    const summary = await runRestore(opened, { keys, flags, found, target: target.stream, part }, context);
    await target.complete();
    if (flags.json === true) {
      const { sessionId, name } = found;
      const body = { point: sessionId, name, target: flags.target, ...summary };
      context.stdout.write(`${JSON.stringify(body)}\n`);
    }
  } catch (error) {
    await target.discard();
    throw isClosedPipe(error)
      ? new GarrisonError("output-closed", "the pipe was closed", { cause: error })
      : error;
  }
}

function countOf<Name extends string>(name: Name, text: string | undefined): { [Key in Name]?: number } {
  if (text === undefined) return {};
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new GarrisonError("usage", `--${name} is a number of bytes, not ${text}`);
  }
  return { [name]: value } as { [Key in Name]?: number };
}

interface StreamTarget {
  readonly stream: Writable;
  /** After it, everything is where it should be. */
  readonly complete: () => Promise<void>;
  readonly discard: () => Promise<void>;
}

function openOutput(context: CliContext): StreamTarget {
  // Whoever listens is told of a closed pipe by the write that meets it: the stream is then not whole.
  context.stdout.on("error", () => undefined);
  return { stream: context.stdout, complete: async () => undefined, discard: async () => undefined };
}

/** A new file, flushed when it is whole; one that is not is removed. */
async function openFile(path: string): Promise<StreamTarget> {
  const file = await open(path, "wx").catch((cause: unknown) => {
    throw new GarrisonError("target-unwritable", `${path} can't be created, or exists already`, { cause });
  });
  const stream = file.createWriteStream({ flush: true });
  stream.on("error", () => undefined);
  return {
    stream,
    async complete() {
      stream.end();
      await finished(stream);
    },
    async discard() {
      stream.destroy();
      await finished(stream).catch(() => undefined);
      await unlink(path).catch(() => undefined);
    },
  };
}

interface StreamRestore {
  readonly keys: DomainKeys;
  readonly flags: StreamRestoreFlags;
  readonly found: RestorePoint;
  readonly target: Writable;
  readonly part: { readonly offset?: number; readonly length?: number };
}

async function runRestore(
  opened: OpenedRepository,
  { keys, flags, found, target, part }: StreamRestore,
  context: CliContext,
): Promise<StreamRestoreSummary> {
  const progress = showProgress(found.name, context);
  const sessionKeys = (session: string, epoch: number) =>
    opened.repository.sessionDataKey(flags.domain, session, epoch);
  const { logger } = context;
  try {
    return await restoreStream(
      { store: opened.store, keys, sessionKeys, logger, onProgress: progress.update },
      { series: found.series, point: found.sessionId, target, ...part },
      context,
    );
  } finally {
    progress.finish();
  }
}

function isClosedPipe(error: unknown): boolean {
  if (!isGarrisonError(error, "target-unwritable")) return false;
  return (error.cause as NodeJS.ErrnoException | undefined)?.code === "EPIPE";
}
