import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import type { BlockSource } from "@garrison/repository/disk/block-source";
import { openFileBlockSource, type ChangedRange } from "@garrison/repository/disk/file-block-source";
import type { RestorePoint } from "@garrison/repository/point/read-point";
import type { CliContext } from "../cli-context.ts";
import { regionOf } from "../repository-address.ts";

export interface SourceRequest {
  /** A file, a block device, or `ebs:snap-...`. */
  readonly source: string;
  readonly changedFile?: string;
  /** The restore point that changes would apply to. */
  readonly parent: RestorePoint | undefined;
}

export interface OpenedSource {
  readonly source: BlockSource;
  readonly fallbackReason?: string;
}

/** Opens what an image backup reads. */
export async function openBackupSource(request: SourceRequest, context: CliContext): Promise<OpenedSource> {
  if (request.source.startsWith("ebs:")) return openEbsSource(request, context);
  const { changedFile, source } = request;
  if (changedFile === undefined) return { source: await openFileBlockSource({ path: source }) };
  if (request.parent === undefined) {
    throw new GarrisonError("parent-unusable", "--changed needs an earlier restore point of the same name");
  }
  const changed = await readChangedRanges(changedFile);
  return { source: await openFileBlockSource({ path: source, changed }) };
}

async function openEbsSource(request: SourceRequest, context: CliContext): Promise<OpenedSource> {
  const snapshotId = request.source.slice("ebs:".length);
  if (!/^snap-[0-9a-f]+$/.test(snapshotId))
    throw new GarrisonError("usage", `${request.source} is not ebs:snap-...`);
  if (request.changedFile !== undefined)
    throw new GarrisonError("usage", "--changed is for files and devices");
  const { openDataClients } = await import("@garrison/aws/data-clients");
  const { openEbsSnapshotSource } = await import("@garrison/aws/ebs-snapshot-source");
  const clients = openDataClients({ region: regionOf(context) });
  const { clock, random } = context;
  const open = (base: { readonly baseSnapshotId?: string }) =>
    openEbsSnapshotSource({ clients, clock, random, snapshotId, ...base }, context);
  const baseSnapshotId = request.parent?.volumes[0]?.identity.match(/^ebs:(snap-[0-9a-f]+)$/)?.[1];
  if (baseSnapshotId === undefined) return { source: await open({}) };
  try {
    return { source: await open({ baseSnapshotId }) };
  } catch (error) {
    if (!isGarrisonError(error, "ebs-base-unusable")) throw error;
    return { source: await open({}), fallbackReason: error.message };
  }
}

/** JSON lines `{"offset": bytes, "length": bytes}`. */
async function readChangedRanges(file: string): Promise<readonly ChangedRange[]> {
  const ranges: ChangedRange[] = [];
  const stream = createReadStream(file, "utf8");
  let number = 0;
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      number++;
      if (line.trim() !== "") ranges.push(parseRange(line, `${file}:${number}`));
    }
  } catch (cause) {
    if (isGarrisonError(cause)) throw cause;
    throw new GarrisonError("usage", `${file} can't be read`, { cause });
  }
  return ranges;
}

function parseRange(line: string, where: string): ChangedRange {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const { offset, length } = (value ?? {}) as { readonly offset?: unknown; readonly length?: unknown };
  if (!isCount(offset) || !isCount(length)) {
    throw new GarrisonError("usage", `${where} is not {"offset": bytes, "length": bytes}`);
  }
  return { offset, length };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
