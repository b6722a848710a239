import { seedInstance } from "@garrison/lab/seed/seed-instance";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const awsCli = "/usr/bin/aws";
const production = "222222222222";

let running: RunningLab;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lab-aws-"));
  running = await startLab({
    dataDir,
    seed: "demo",
    ec2: { transitionMs: 5, snapshotMs: 5, emptyPageShare: 0 },
  });
});

afterAll(async () => {
  await running.stop();
  await rm(dataDir, { recursive: true });
});

async function aws(command: string) {
  const keys = running.operators[production]!;
  const env = {
    PATH: process.env["PATH"],
    HOME: dataDir,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_DEFAULT_REGION: "eu-central-1",
    AWS_PAGER: "",
  };
  const words = `--endpoint-url ${running.endpoint} --output json ${command}`.split(/\s+/);
  const { stdout } = await run(awsCli, words, { env });
  return JSON.parse(stdout === "" ? "{}" : stdout);
}

// Another client with other models and parsers sees mistakes that the SDK and a server made from its schemas share.
test.runIf(existsSync(awsCli))("Debian's aws command works against EC2 and the direct APIs", async () => {
  const imageFile = join(dataDir, "disk.img");
  await writeFile(imageFile, Buffer.alloc(1024 * 1024, 3));
  const web = await seedInstance(running.lab, {
    accountId: production,
    name: "web-1",
    volumes: [{ deviceName: "/dev/xvda", imageFile }],
  });
  const described = await aws("ec2 describe-instances --filters Name=tag:Name,Values=web-1");
  expect(described.Reservations[0].Instances[0].InstanceId).toBe(web.instanceId);
  const made = await aws(`ec2 create-snapshots --instance-specification InstanceId=${web.instanceId}
    --tag-specifications ResourceType=snapshot,Tags=[{Key=a,Value=b}]`);
  const snapshotId: string = made.Snapshots[0].SnapshotId;
  while (running.lab.ec2.tables.snapshots.get(snapshotId)?.state !== "completed") await sleep(5);
  const listed = await aws(`ebs list-snapshot-blocks --snapshot-id ${snapshotId}`);
  expect(listed.Blocks.map((block: { BlockIndex: number }) => block.BlockIndex)).toEqual([0, 1]);
  const body = join(dataDir, "block");
  const got = await aws(`ebs get-snapshot-block --snapshot-id ${snapshotId} --block-index 0
    --block-token ${listed.Blocks[0].BlockToken} ${body}`);
  expect((await stat(body)).size).toBe(524_288);
  const started = await aws("ebs start-snapshot --volume-size 1");
  await aws(`ebs put-snapshot-block --snapshot-id ${started.SnapshotId} --block-index 0 --data-length 524288
    --block-data ${body} --checksum ${got.Checksum} --checksum-algorithm SHA256`);
  const done = await aws(
    `ebs complete-snapshot --snapshot-id ${started.SnapshotId} --changed-blocks-count 1`,
  );
  expect(done.Status).toBe("pending");
  await expect(aws("ec2 describe-volumes --volume-ids vol-0123456789abcdef0")).rejects.toMatchObject({
    stderr: expect.stringContaining("(InvalidVolume.NotFound)"),
  });
});
