import { createHash } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
} from "@aws-sdk/client-ec2";
import { CompleteSnapshotCommand, StartSnapshotCommand } from "@aws-sdk/client-ebs";
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import type { AwsCredentials } from "@garrison/aws/aws-credentials";
import { assumeRole } from "@garrison/aws/assume-role";
import { openS3ObjectStore } from "@garrison/aws/s3-object-store";
import { systemClock } from "@garrison/core/clock";
import { systemRandom } from "@garrison/core/random";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { initRepository } from "@garrison/repository/keys/init-repository";
import type { ObjectStore } from "@garrison/repository/store/object-store";
import type { Repository } from "@garrison/repository/keys/open-repository";

export const region = "eu-central-1";
export const production = "222222222222";
export const backup = "111111111111";
export const bucket = "garrison-worker-test";
export const prefix = "vault";
export const blockBytes = 512 * 1024;
export const { signal } = new AbortController();

/** A lab with a bucket, a repository in it, and one all-powerful role an account from which rights are lent. */
export interface WorkerLab {
  readonly running: RunningLab;
  readonly operator: Readonly<Record<"production" | "backup", AwsClients>>;
  readonly store: ObjectStore;
  readonly repository: Repository;
  lend(account: "production" | "backup", sessionPolicy: object): Promise<AwsCredentials>;
  stop(): Promise<void>;
}

const allow = (statement: object) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", ...statement }],
});
const accounts = { production, backup } as const;

export async function openWorkerLab(): Promise<WorkerLab> {
  const dataDir = await mkdtemp(join(tmpdir(), "garrison-worker-lab-"));
  const running = await startLab({ dataDir, seed: "demo" });
  // The worker finds AWS as everybody does: by the environment.
  process.env["AWS_ENDPOINT_URL"] = running.endpoint;
  const clientsOf = (accountId: string): AwsClients => {
    const keys = running.operators[accountId]!;
    return openAwsClients({ region, credentials: async () => ({ ...keys }) });
  };
  const operator = { production: clientsOf(production), backup: clientsOf(backup) };
  await operator.backup
    .s3()
    .send(
      new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
    );
  await Promise.all([createLender(operator.production, production), createLender(operator.backup, backup)]);
  const store = openS3ObjectStore({ clients: operator.backup, bucket, prefix });
  const dependencies = { store, clock: systemClock, random: systemRandom };
  const repository = await initRepository(dependencies, [{ masterSecret: systemRandom.bytes(32) }], {
    signal,
  });
  return {
    running,
    operator,
    store,
    repository,
    lend: (account, sessionPolicy) => {
      const roleArn = `arn:aws:iam::${accounts[account]}:role/lender`;
      return assumeRole(operator[account].sts(), { roleArn, sessionName: "task", sessionPolicy }, { signal });
    },
    stop: async () => {
      delete process.env["AWS_ENDPOINT_URL"];
      for (const clients of Object.values(operator)) clients.close();
      await running.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function createLender(clients: AwsClients, accountId: string): Promise<void> {
  const trust = allow({ Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: "sts:AssumeRole" });
  const everything = allow({ Action: "*", Resource: "*" });
  await createRole(clients, { name: "lender", trust, policies: [{ name: "all", document: everything }] });
}

export interface TestRole {
  readonly name: string;
  readonly trust: object;
  readonly policies: readonly { readonly name: string; readonly document: object }[];
  readonly hasInstanceProfile?: boolean;
}

export async function createRole(clients: AwsClients, role: TestRole): Promise<void> {
  const iam = clients.iam();
  const RoleName = role.name;
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(role.trust) }));
  for (const { name: PolicyName, document } of role.policies) {
    await iam.send(
      new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: JSON.stringify(document) }),
    );
  }
  if (role.hasInstanceProfile !== true) return;
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: RoleName }));
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }));
}

/** A disk in the lab whose bytes the test can write. */
export interface TestVolume {
  readonly volumeId: string;
  readonly sizeBytes: number;
  readonly path: string;
}

export async function createVolume(lab: WorkerLab, sizeGiB: number): Promise<TestVolume> {
  const ec2 = lab.operator.production.ec2();
  const { VolumeId: volumeId } = await ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: sizeGiB }),
  );
  await until(async () => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [volumeId!] }));
    return Volumes?.[0]?.State === "available";
  });
  const path = lab.running.lab.ec2.disks.volumes.path(volumeId!);
  return { volumeId: volumeId!, sizeBytes: sizeGiB * 1024 ** 3, path };
}

/** Bytes that don't compress and differ from block to block. */
export function blockOf(seed: string): Buffer {
  return createHash("shake256", { outputLength: blockBytes }).update(seed).digest();
}

export async function writeBlocks(
  volume: TestVolume,
  blocks: Readonly<Record<number, Uint8Array>>,
): Promise<void> {
  const file = await open(volume.path, "r+");
  try {
    for (const [index, bytes] of Object.entries(blocks))
      await file.write(bytes, 0, bytes.length, Number(index) * blockBytes);
  } finally {
    await file.close();
  }
}

export async function snapshotVolume(lab: WorkerLab, volume: TestVolume, run: string): Promise<string> {
  const ec2 = lab.operator.production.ec2();
  const Tags = [{ Key: "garrison:run", Value: run }];
  const { SnapshotId: snapshotId } = await ec2.send(
    new CreateSnapshotCommand({
      VolumeId: volume.volumeId,
      TagSpecifications: [{ ResourceType: "snapshot", Tags }],
    }),
  );
  await untilCompleted(lab, snapshotId!);
  return snapshotId!;
}

export async function untilCompleted(lab: WorkerLab, snapshotId: string): Promise<void> {
  await until(async () => {
    const command = new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] });
    const { Snapshots } = await lab.operator.production.ec2().send(command);
    return Snapshots?.[0]?.State === "completed";
  });
}

export async function startSnapshot(lab: WorkerLab, sizeGiB: number): Promise<string> {
  const { SnapshotId } = await lab.operator.production
    .ebs()
    .send(new StartSnapshotCommand({ VolumeSize: sizeGiB }));
  return SnapshotId!;
}

export async function completeSnapshot(
  lab: WorkerLab,
  volume: { readonly snapshotId: string; readonly blocksWritten: number; readonly linearChecksum: string },
): Promise<void> {
  await lab.operator.production.ebs().send(
    new CompleteSnapshotCommand({
      SnapshotId: volume.snapshotId,
      ChangedBlocksCount: volume.blocksWritten,
      Checksum: volume.linearChecksum,
      ChecksumAlgorithm: "SHA256",
      ChecksumAggregationMethod: "LINEAR",
    }),
  );
  await untilCompleted(lab, volume.snapshotId);
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await condition()) return;
    await systemClock.sleep(50, signal);
  }
  throw new Error("what was waited for did not happen");
}
