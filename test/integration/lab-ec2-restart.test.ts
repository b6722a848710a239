import {
  EBSClient,
  CompleteSnapshotCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import {
  CreateVolumeCommand,
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { ordinaryImageId } from "@garrison/lab/services/ec2/images/public-images";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";

const production = "222222222222";
const region = "eu-central-1";
let dataDir: string;
let running: RunningLab;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-restart-"));
});

afterEach(async () => {
  await running.stop();
  await rm(dataDir, { recursive: true });
});

/** Changes that take a while are still under way when the lab is stopped; the second start finishes them. */
async function start(transitionMs: number) {
  running = await startLab({ dataDir, seed: "demo", ec2: { transitionMs, snapshotMs: transitionMs } });
  const config = {
    region,
    endpoint: running.endpoint,
    credentials: running.operators[production]!,
    maxAttempts: 1,
  };
  return { ec2: new EC2Client(config), ebs: new EBSClient(config) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

test("an instance that was pending when the lab stopped is running after its restart", async () => {
  const first = await start(60_000);
  const ImageId = ordinaryImageId("x86_64", region);
  const { Instances } = await first.ec2.send(
    new RunInstancesCommand({ ImageId, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1 }),
  );
  const { VolumeId } = await first.ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 1 }),
  );
  await running.stop();
  const second = await start(1);
  const { tables } = running.lab.ec2;
  await until(() => tables.instances.get(Instances![0]!.InstanceId!)?.state === "running");
  await until(() => tables.volumes.get(VolumeId!)?.state === "available");
  const { Reservations } = await second.ec2.send(new DescribeInstancesCommand({}));
  expect(Reservations![0]!.Instances![0]!.BlockDeviceMappings).toHaveLength(1);
});

test("an upload of a snapshot goes on after a restart", async () => {
  const first = await start(1);
  const put = (client: EBSClient, SnapshotId: string, BlockIndex: number) => {
    const BlockData = randomBytes(512 * 1024);
    const Checksum = createHash("sha256").update(BlockData).digest("base64");
    const block = { SnapshotId, BlockIndex, BlockData, Checksum };
    return client.send(
      new PutSnapshotBlockCommand({ ...block, DataLength: BlockData.length, ChecksumAlgorithm: "SHA256" }),
    );
  };
  const { SnapshotId } = await first.ebs.send(new StartSnapshotCommand({ VolumeSize: 1 }));
  await put(first.ebs, SnapshotId!, 1);
  await running.stop();
  const second = await start(1);
  await put(second.ebs, SnapshotId!, 2);
  await second.ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 2 }));
  await until(() => running.lab.ec2.tables.snapshots.get(SnapshotId!)?.state === "completed");
  expect([...running.lab.ec2.disks.snapshots.index(SnapshotId!).blocks]).toEqual([1, 2]);
});
