import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { DescribeSubnetsCommand, ModifyVpcAttributeCommand } from "@aws-sdk/client-ec2";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { WorkerCheck } from "@garrison/api/schemas/worker-test";
import { createRole } from "@garrison/aws/create-role";
import { exportRole } from "@garrison/roles/export-role";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  exportOptions,
  inventory,
  openApplianceLab,
  productionAccount,
  region,
  signal,
  tell,
  waitForRun,
  type ApplianceLab,
} from "./appliance-lab.ts";

const program = new URL("../../packages/cli/bin/garrison", import.meta.url).pathname;
const testing = ["workers", "test", "--account", productionAccount, "--region", region];
const nothing = { snapshots: [], workers: [], queues: [], images: [] };
let lab: ApplianceLab;
beforeAll(async () => {
  lab = await openApplianceLab();
}, 600_000);
afterAll(() => lab?.stop());

const environment = () => ({
  ...process.env,
  GARRISON_URL: lab.appliance.url,
  GARRISON_TOKEN: lab.appliance.token,
  AWS_ENDPOINT_URL: lab.lab.endpoint,
  AWS_SHARED_CREDENTIALS_FILE: join(lab.folder, "profiles"),
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function garrison(...args: readonly string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await promisify(execFile)(program, [...args], { env: environment() })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}

interface Told {
  readonly checks: readonly WorkerCheck[];
  readonly removed: readonly { readonly what: string; readonly resource: string }[];
  readonly left: readonly string[];
}

const read = ({ stdout }: Outcome) => JSON.parse(stdout) as Told;
const verdicts = ({ checks }: Told) =>
  Object.fromEntries(checks.map(({ check, verdict }) => [check, verdict]));

async function repositoryObjects(): Promise<readonly string[]> {
  const command = new ListObjectsV2Command({ Bucket: "garrison-test-repository" });
  const { Contents } = await lab.operator.backup.s3().send(command);
  return (Contents ?? []).map(({ Key }) => Key!);
}

test("proves each thing that a worker needs, and leaves nothing", async () => {
  const before = await repositoryObjects();
  const outcome = await garrison(...testing, "--json");
  expect(outcome.code, outcome.stderr + outcome.stdout).toBe(0);
  expect(verdicts(read(outcome))).toEqual({
    "role chain": "passed",
    "launch permitted": "passed",
    "queues made": "passed",
    "instance launched": "passed",
    "Systems Manager": "passed",
    "program started": "passed",
    "queue round trip": "passed",
    "S3 put and get": "passed",
    "EBS list": "passed",
  });
  const removed = read(outcome).removed.map(({ what }) => what);
  expect([...removed].sort()).toEqual(["object", "queue", "queue", "snapshot", "worker"]);
  expect(read(outcome).left).toEqual([]);
  expect(await inventory(lab)).toEqual(nothing);
  expect(await repositoryObjects()).toEqual(before);
});

test("names the right that is missing, before it launches anything", async () => {
  const options = { ...exportOptions(lab.appliance.installation), placement: "production" } as const;
  const documents = exportRole("worker", options);
  const text = JSON.stringify(documents).replaceAll('"sqs:SendMessage"', '"sqs:GetQueueUrl"');
  await createRole(lab.operator.production, JSON.parse(text) as typeof documents, { signal });
  const outcome = await garrison(...testing);
  await createRole(lab.operator.production, documents, { signal });
  expect(outcome.code).toBe(1);
  expect(outcome.stdout).toMatch(/role chain +failed +.*sqs:SendMessage/);
  expect(outcome.stdout).toMatch(/instance launched +unknown +not tried: it needs role chain/);
  expect(outcome.stdout).toContain("Removed: nothing");
});

test("names what the network lacks, read with the operator's profile, and launches nothing", async () => {
  const ec2 = lab.operator.production.ec2();
  const Filters = [{ Name: "default-for-az", Values: ["true"] }];
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ Filters }));
  const { SubnetId, VpcId } = Subnets![0]!;
  const unanswered = { VpcId, EnableDnsSupport: { Value: false } };
  await ec2.send(new ModifyVpcAttributeCommand(unanswered));
  const keys = lab.lab.operators[productionAccount]!;
  const profile = `[owner]\naws_access_key_id=${keys.accessKeyId}\naws_secret_access_key=${keys.secretAccessKey}\n`;
  await writeFile(join(lab.folder, "profiles"), profile);
  const outcome = await garrison(...testing, "--subnet", SubnetId!, "--operator-profile", "owner");
  await ec2.send(new ModifyVpcAttributeCommand({ ...unanswered, EnableDnsSupport: { Value: true } }));
  expect(outcome.code, outcome.stderr).toBe(1);
  expect(outcome.stdout).toContain(`--vpc-id ${VpcId} --enable-dns-support Value=true`);
  expect(outcome.stdout).toContain("No worker was launched");
});

test("says what the launch is refused for when the subnet is not there", async () => {
  const outcome = await garrison(...testing, "--subnet", "subnet-0123456789abcdef0", "--json");
  expect(outcome.code).toBe(1);
  const failed = read(outcome).checks.find(({ verdict }) => verdict === "failed");
  expect(failed?.check).toBe("launch permitted");
  expect(failed?.sentence).toContain("subnet-0123456789abcdef0");
  expect(await inventory(lab)).toEqual(nothing);
});

test("removes everything when it is interrupted", async () => {
  const child = spawn(program, testing, { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  child.stderr.on("data", (bytes: Buffer) => {
    const wasLaunched = told.includes("launched a");
    told += bytes.toString();
    if (!wasLaunched && told.includes("launched a")) child.kill("SIGINT");
  });
  const [code] = (await once(child, "close")) as [number];
  expect(told).toContain("Stopping run-");
  expect(code).toBe(1);
  expect(await inventory(lab)).toEqual(nothing);
});

test("leaves nothing when the appliance is ended in the middle and another goes on", async () => {
  const body = { kind: "worker-test", accountId: productionAccount, region } as const;
  const { id } = await lab.api.call("createRun", { body }, signal);
  for await (const run of lab.api.watchRun(id, signal)) {
    if (run.steps.some(({ name }) => name === "wait for the worker")) break;
  }
  await lab.restart();
  const run = await waitForRun(lab, id);
  expect(run.status, tell(run)).toBe("succeeded");
  expect(await inventory(lab)).toEqual(nothing);
});

test("is refused without an account", async () => {
  expect((await garrison("workers", "test", "--region", region)).code).toBe(2);
});
