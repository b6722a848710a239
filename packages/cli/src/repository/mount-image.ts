import { mkdir, readdir } from "node:fs/promises";
import { once } from "node:events";
import { GarrisonError } from "@garrison/core/garrison-error";
import { formatSize } from "@garrison/core/units";
import { readPartitionTable, type Partition } from "@garrison/repository/export/partition-table";
import type { CliContext } from "../cli-context.ts";
import { attachDisk, type AttachedDisk } from "../mount/attach-disk.ts";
import { exportPoint, type ExportedPoint } from "../mount/export-point.ts";
import { mountFileSystem } from "../mount/mount-file-system.ts";
import { chooseVolume, findPoint } from "./find-point.ts";
import { openNamedRepository, type RepositoryFlags } from "./open-named-repository.ts";

export interface ImageMountFlags extends RepositoryFlags {
  readonly domain: string;
  readonly volume?: string;
  readonly partition?: string;
  readonly raw?: true;
  readonly json?: true;
}

/** What has to be undone, newest first, whatever happens. */
type Undo = () => Promise<unknown>;

/**
 * Shows the files of a restore point in a folder until it is interrupted. Only what is looked at is read; the restore
 * point is never written.
 */
export async function mountImage(
  point: string,
  flags: ImageMountFlags & { readonly folder: string },
  context: CliContext,
): Promise<void> {
  if (flags.raw !== true && process.getuid?.() !== 0) {
    throw new GarrisonError(
      "usage",
      "mounting a file system needs root; --raw shows the disk as one file without it",
    );
  }
  await requireEmptyFolder(flags.folder);
  using opened = await openNamedRepository(flags, context);
  const keys = opened.repository.domainKeys(flags.domain);
  const found = await findPoint({ store: opened.store, keys, point }, context);
  const { volumeId } = chooseVolume(found, flags.volume);
  const undo: Undo[] = [];
  try {
    const wanted = { domain: flags.domain, series: found.series, point: found.sessionId, volumeId };
    const exported = await exportPoint(opened, wanted, context);
    undo.push(() => exported.close());
    const shown = await show(exported, { flags, undo }, context);
    const head = { point: found.sessionId, name: found.name, volumeId, folder: flags.folder };
    context.stdout.write(
      flags.json === true
        ? `${JSON.stringify({ ...head, ...shown })}\n`
        : `${found.name} of ${new Date(found.createdAtMs).toISOString()}: ${describe(shown)} in ${flags.folder}; Ctrl-C unmounts it\n`,
    );
    if (!context.signal.aborted) await once(context.signal, "abort");
  } finally {
    for (const each of undo.reverse()) await each().catch((error: unknown) => warn(error, context));
  }
}

interface Shown {
  readonly path: string;
  readonly fileSystem?: string;
  readonly partition?: number;
}

interface Showing {
  readonly flags: ImageMountFlags & { readonly folder: string };
  readonly undo: Undo[];
}

async function show(exported: ExportedPoint, { flags, undo }: Showing, context: CliContext): Promise<Shown> {
  const { disk, socket } = exported;
  const table = await readPartitionTable(
    (offset, length) => disk.read(offset, length, context),
    disk.sizeBytes,
  );
  const partition = flags.raw === true ? undefined : choosePartition(table, flags.partition);
  const place = flags.raw === true ? flags.folder : exported.folder;
  const attached: AttachedDisk = await attachDisk({ socket, folder: place, isWritable: true });
  undo.push(() => attached.detach());
  if (flags.raw === true) return { path: attached.path };
  const range = { offset: partition?.offset ?? 0, sizeBytes: partition?.sizeBytes ?? disk.sizeBytes };
  const mounted = await mountFileSystem({ disk: attached, ...range, folder: flags.folder });
  undo.push(() => mounted.unmount());
  const { type: fileSystem } = mounted;
  return {
    path: flags.folder,
    fileSystem,
    ...(partition === undefined ? {} : { partition: partition.number }),
  };
}

const dataTypes = ["linux", "windows"];

/** The one asked for; without a wish the only one that holds data. A disk without a table is mounted whole. */
function choosePartition(table: readonly Partition[], wanted: string | undefined): Partition | undefined {
  if (wanted !== undefined) {
    const found = table.find((partition) => String(partition.number) === wanted);
    if (found !== undefined) return found;
    throw new GarrisonError("usage", `there is no partition ${wanted}: ${listPartitions(table)}`);
  }
  if (table.length === 0) return undefined;
  const data = table.filter((partition) => dataTypes.includes(partition.type));
  if (data.length === 1) return data[0];
  throw new GarrisonError("usage", `choose one with --partition: ${listPartitions(table)}`);
}

function listPartitions(table: readonly Partition[]): string {
  if (table.length === 0) return "the disk has no partition table";
  return table
    .map(({ number, type, sizeBytes, name }) => {
      const label = name === undefined || name === "" ? "" : `, "${name}"`;
      return `${number} (${type}, ${formatSize(sizeBytes)}${label})`;
    })
    .join("; ");
}

function describe({ path, fileSystem, partition }: Shown): string {
  if (fileSystem === undefined) return `the disk as ${path}`;
  return partition === undefined ? fileSystem : `partition ${partition}, ${fileSystem},`;
}

async function requireEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new GarrisonError("mount-failed", `${folder} can't be made`, { cause });
  });
  if ((await readdir(folder)).length > 0) {
    throw new GarrisonError("mount-failed", `${folder} is not empty`);
  }
}

function warn(error: unknown, context: CliContext): void {
  context.stderr.write(
    `garrison: while unmounting: ${error instanceof Error ? error.message : String(error)}\n`,
  );
}
