import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { systemClock } from "@garrison/core/clock";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const garrison = fileURLToPath(new URL("../../packages/cli/bin/garrison", import.meta.url));
const blockBytes = 512 * 1024;
const { signal } = new AbortController();

/** Debian's command if it is there: the oldest that has to work. Otherwise whichever the path has. */
const awsCommand = ["/usr/bin", ...(process.env["PATH"] ?? "").split(":")]
  .map((folder) => join(folder, "aws"))
  .find((file) => existsSync(file));

interface Operator {
  readonly accountId: string;
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface LabReady {
  readonly endpoint: string;
  readonly region: string;
  readonly accounts: readonly Operator[];
}

let folder: string;
let program: ChildProcess;
let ready: LabReady;

async function startLab(): Promise<void> {
  const args = ["lab", "start", "--port", "0", "--data", join(folder, "lab"), "--seed", "demo", "--json"];
  program = spawn(garrison, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: program.stdout! });
  const [line] = (await once(lines, "line")) as [string];
  ready = JSON.parse(line) as LabReady;
}

async function stopLab(): Promise<number> {
  const exited = once(program, "exit");
  program.kill("SIGTERM");
  const [code] = (await exited) as [number];
  return code;
}

const operator = (name: string) => ready.accounts.find((account) => account.name === name)!;

/**
 * The command as a user has it who exported two keys and a Region, and nothing else: no profile, no endpoint in the
 * environment. The search path is there only because the command may be a script of another Python.
 */
async function aws(as: Operator, command: string): Promise<unknown> {
  const env = {
    PATH: process.env["PATH"],
    HOME: folder,
    AWS_ACCESS_KEY_ID: as.accessKeyId,
    AWS_SECRET_ACCESS_KEY: as.secretAccessKey,
    AWS_DEFAULT_REGION: ready.region,
  };
  const words = ["--endpoint-url", ready.endpoint, ...command.split(/\s+/)];
  const { stdout } = await promisify(execFile)(awsCommand!, words, { env });
  return /^\s*[{[]/.test(stdout) ? JSON.parse(stdout) : stdout;
}

/** Three blocks of a disk have something in them: the first two and the last. */
async function seedInstance(accountId: string): Promise<string> {
  const imageFile = join(folder, "disk.img");
  const bytes = Buffer.alloc(8 * blockBytes);
  for (const block of [0, 1, 7]) randomBytes(blockBytes).copy(bytes, block * blockBytes);
  await writeFile(imageFile, bytes);
  const seed = { accountId, name: "web-1", volumes: [{ deviceName: "/dev/xvda", imageFile }] };
  const response = await fetch(`${ready.endpoint}/_lab/seed/instance`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(seed),
  });
  const { volumes } = (await response.json()) as { volumes: { volumeId: string }[] };
  return volumes[0]!.volumeId;
}

describe.skipIf(awsCommand === undefined)("the unmodified aws command against `garrison lab start`", () => {
  let volumeId: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "garrison-aws-command-"));
    await startLab();
    volumeId = await seedInstance(operator("production").accountId);
  });

  afterAll(async () => {
    if (program !== undefined && program.exitCode === null) await stopLab();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(["backup", "production"])("sts get-caller-identity names the operator of %s", async (name) => {
    const { accountId } = operator(name);
    expect(await aws(operator(name), "sts get-caller-identity")).toMatchObject({
      Account: accountId,
      Arn: `arn:aws:iam::${accountId}:user/operator`,
    });
  });

  test("ec2 describe-instances shows an account its own instances only", async () => {
    const command = "ec2 describe-instances --query Reservations[].Instances[].Tags[?Key=='Name'].Value[]";
    expect(await aws(operator("production"), command)).toEqual(["web-1"]);
    expect(await aws(operator("backup"), command)).toEqual([]);
  });

  test("ebs list-snapshot-blocks lists the blocks of a snapshot, and of a foreign one nothing", async () => {
    const made = (await aws(operator("production"), `ec2 create-snapshot --volume-id ${volumeId}`)) as {
      SnapshotId: string;
    };
    const state = `ec2 describe-snapshots --snapshot-ids ${made.SnapshotId} --query Snapshots[].State`;
    while (!JSON.stringify(await aws(operator("production"), state)).includes("completed")) {
      await systemClock.sleep(200, signal);
    }
    const command = `ebs list-snapshot-blocks --snapshot-id ${made.SnapshotId}`;
    const listed = (await aws(operator("production"), command)) as {
      BlockSize: number;
      Blocks: { BlockIndex: number; BlockToken: string }[];
    };
    expect(listed.BlockSize).toBe(blockBytes);
    expect(listed.Blocks.map(({ BlockIndex }) => BlockIndex)).toEqual([0, 1, 7]);
    await expect(aws(operator("backup"), command)).rejects.toMatchObject({
      stderr: expect.stringMatching(/\((AccessDenied|ResourceNotFound)Exception\)/),
    });
  });

  test("sqs list-queues lists queues", async () => {
    const made = await aws(operator("backup"), "sqs create-queue --queue-name orders");
    const { QueueUrl } = made as { QueueUrl: string };
    expect(await aws(operator("backup"), "sqs list-queues")).toEqual({ QueueUrls: [QueueUrl] });
    expect(await aws(operator("production"), "sqs list-queues")).toBe("");
  });

  test("s3 ls lists buckets and what is in them", async () => {
    await aws(operator("backup"), "s3 mb s3://garrison-of-a-user");
    await aws(
      operator("backup"),
      `s3 cp --no-progress ${join(folder, "disk.img")} s3://garrison-of-a-user/disks/web`,
    );
    expect(await aws(operator("backup"), "s3 ls")).toMatch(/ garrison-of-a-user\n$/);
    expect(await aws(operator("backup"), "s3 ls s3://garrison-of-a-user/disks/")).toMatch(/ 4194304 web\n$/);
    expect(await aws(operator("production"), "s3 ls")).toBe("");
    await expect(aws(operator("production"), "s3 ls s3://garrison-of-a-user")).rejects.toMatchObject({
      stderr: expect.stringContaining("(AccessDenied)"),
    });
  });

  test("iam simulate-principal-policy says what the operators may do, organisation policies included", async () => {
    for (const name of ["backup", "production"]) {
      const source = `arn:aws:iam::${operator(name).accountId}:user/operator`;
      const command = `iam simulate-principal-policy --policy-source-arn ${source} --action-names ec2:RunInstances`;
      const here = `ContextKeyName=aws:RequestedRegion,ContextKeyValues=${ready.region},ContextKeyType=string`;
      expect(await aws(operator(name), `${command} --context-entries ${here}`)).toMatchObject({
        EvaluationResults: [{ EvalActionName: "ec2:RunInstances", EvalDecision: "allowed" }],
      });
      const there = here.replace(ready.region, "ap-south-2");
      expect(await aws(operator(name), `${command} --context-entries ${there}`)).toMatchObject({
        EvaluationResults: [{ OrganizationsDecisionDetail: { AllowedByOrganizations: name === "backup" } }],
      });
    }
  });

  test("keys of nobody are refused by name", async () => {
    const nobody = { ...operator("backup"), secretAccessKey: "not-the-secret" };
    await expect(aws(nobody, "sts get-caller-identity")).rejects.toMatchObject({
      stderr: expect.stringContaining("(SignatureDoesNotMatch)"),
    });
  });

  test("what it made is there after the lab was stopped and started again", async () => {
    expect(await stopLab()).toBe(0);
    await startLab();
    const { length } = (await aws(
      operator("production"),
      "ec2 describe-snapshots --owner-ids self --query Snapshots[]",
    )) as object[];
    expect(length).toBe(1);
    expect(await aws(operator("backup"), "s3 ls s3://garrison-of-a-user/disks/")).toContain("web");
  });
});
