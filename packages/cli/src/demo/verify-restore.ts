import type { Point } from "@garrison/api/schemas/points";
import { createSnapshotVolume, deleteVolume } from "@garrison/aws/ec2/snapshot-volume";
import type { AwsClients } from "@garrison/aws/aws-clients";
import { listInstances, type InventoryVolume } from "@garrison/aws/ec2/list-instances";
import { GarrisonError } from "@garrison/core/garrison-error";
import { mapConcurrent } from "@garrison/core/map-concurrent";
import { compareBlocks } from "./compare-blocks.ts";
import { demoNames } from "./demo-names.ts";
import type { DemoLab } from "./demo-lab.ts";
import { compareTrees, type TreeDigest } from "./digest-file-tree.ts";
import type { SyncedFiles } from "./change-files.ts";
import { readDiskTree, type DiskToRead } from "./read-disk-tree.ts";

export interface RestoredDisk {
  readonly deviceName: string;
  readonly fileSystem: DiskToRead["fileSystem"];
  /** What was fsynced while the second snapshot's disk was mounted. */
  readonly synced: SyncedFiles;
}

export interface VerifiedDisk {
  readonly deviceName: string;
  readonly sizeBytes: number;
  readonly entries: number;
  readonly syncedFiles: number;
}

export interface RestoreToVerify {
  readonly lab: DemoLab;
  readonly point: Point;
  readonly restoredInstanceId: string;
  readonly disks: readonly RestoredDisk[];
}

/**
 * Compares each restored disk with a volume made from the snapshot that was backed up: first every byte, then the trees,
 * mounting one after the other since the file systems have the same UUID. Fails with `demo-mismatch`.
 */
export async function verifyRestore(
  restore: RestoreToVerify,
  signal: AbortSignal,
): Promise<readonly VerifiedDisk[]> {
  const clients = restore.lab.operatorClients(demoNames.productionAccount);
  try {
    const instanceIds = [restore.restoredInstanceId];
    const [restored] = await listInstances(clients, { instanceIds }, { signal });
    const verified: VerifiedDisk[] = [];
    const limits = { concurrency: 2, signal };
    const compared = mapConcurrent(restore.disks, limits, (disk) =>
      compareWithSnapshot({ restore, clients, disk, volumes: restored?.volumes ?? [] }, signal),
    );
    for await (const disk of compared) verified.push(disk);
    return verified;
  } finally {
    clients.close();
  }
}

interface DiskComparison {
  readonly restore: RestoreToVerify;
  readonly clients: AwsClients;
  readonly disk: RestoredDisk;
  /** Of the restored instance. */
  readonly volumes: readonly InventoryVolume[];
}

async function compareWithSnapshot(
  { restore, clients, disk, volumes }: DiskComparison,
  signal: AbortSignal,
): Promise<VerifiedDisk> {
  const source = restore.point.volumes.find(({ deviceName }) => deviceName === disk.deviceName);
  const target = volumes.find(({ deviceName }) => deviceName === disk.deviceName);
  if (source?.snapshotId === undefined || target === undefined) {
    throw new GarrisonError("demo-mismatch", `${restore.restoredInstanceId} has no disk ${disk.deviceName}`);
  }
  const request = {
    snapshotId: source.snapshotId,
    availabilityZone: demoNames.zone,
    tags: { Name: "garrison-demo-compare" },
  };
  const originalId = await createSnapshotVolume(clients, request, { signal });
  try {
    const original = await restore.lab.volumeFile(originalId, signal);
    const copy = await restore.lab.volumeFile(target.volumeId, signal);
    return await verifyDisk({ disk, original, copy }, signal);
  } finally {
    await deleteVolume(clients, originalId, { signal });
  }
}

async function verifyDisk(
  { disk, original, copy }: { readonly disk: RestoredDisk; readonly original: string; readonly copy: string },
  signal: AbortSignal,
): Promise<VerifiedDisk> {
  const { sizeBytes, differingOffsets } = await compareBlocks(original, copy, signal);
  if (differingOffsets.length > 0) {
    throw new GarrisonError(
      "demo-mismatch",
      `${disk.deviceName} differs at byte ${differingOffsets.join(", ")}`,
    );
  }
  const expected = await readDiskTree({ file: original, fileSystem: disk.fileSystem }, signal);
  const actual = await readDiskTree({ file: copy, fileSystem: disk.fileSystem }, signal);
  const differences = [...compareTrees(expected, actual), ...missingSynced(actual, disk.synced)];
  if (differences.length > 0) {
    throw new GarrisonError("demo-mismatch", `files on ${disk.deviceName} differ: ${differences.join("; ")}`);
  }
  return { deviceName: disk.deviceName, sizeBytes, entries: actual.size, syncedFiles: disk.synced.size };
}

function missingSynced(tree: TreeDigest, synced: SyncedFiles): readonly string[] {
  return [...synced]
    .filter(([path, digest]) => tree.get(path)?.endsWith(digest) !== true)
    .map(([path]) => `${path} was fsynced and is not there`);
}
