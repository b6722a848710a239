import { DeleteObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
} from "@aws-sdk/client-ec2";
import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openApiClient, type ApiClient } from "@garrison/api/client";
import type { NewRunRequest, RunWithSteps } from "@garrison/api/schemas/runs";
import { startAppliance } from "@garrison/appliance/start-appliance";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { createBucket } from "@garrison/aws/create-bucket";
import { startProgram } from "@garrison/cli/start-program";
import { createRole } from "@garrison/aws/create-role";
import { systemClock } from "@garrison/core/clock";
import { silentLogger } from "@garrison/core/logger";
import { systemRandom } from "@garrison/core/random";
import { GiB } from "@garrison/core/units";
import { seedInstance, type SeededInstance } from "@garrison/lab/seed/seed-instance";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { exportRole, type ExportOptions } from "@garrison/roles/export-role";
import type { RoleId } from "@garrison/roles/role-definition";
import { buildWorkerBundle } from "@garrison/worker/build-worker-bundle";

export const region = "eu-central-1";
export const backupAccount = "111111111111";
export const productionAccount = "222222222222";
export const externalId = "garrison-test";
export const blockBytes = 512 * 1024;
export const { signal } = new AbortController();

const names = { bucket: "garrison-test-repository", prefix: "main", stagingBucket: "garrison-test-staging" };
const roleArn = (accountId: string, name: string) => `arn:aws:iam::${accountId}:role/${name}`;

export interface TestAppliance {
  readonly url: string;
  readonly installation: string;
  readonly token: string;
  /** Ends it, in its own process at once and without a word. */
  kill(): Promise<void>;
}

/** The whole product against the lab, in this process: only workers are processes of their own. */
export interface ApplianceLab {
  readonly folder: string;
  readonly lab: RunningLab;
  readonly operator: Readonly<Record<"production" | "backup", AwsClients>>;
  readonly instance: SeededInstance;
  appliance: TestAppliance;
  api: ApiClient;
  /** Ends the appliance and starts it again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const placements: readonly (readonly [
  accountId: string,
  role: RoleId,
  placement: "production" | "backup",
])[] = [
  [backupAccount, "appliance", "backup"],
  [backupAccount, "repository", "backup"],
  [backupAccount, "worker-deployment", "backup"],
  [backupAccount, "worker", "backup"],
  [productionAccount, "backup-ec2", "production"],
  [productionAccount, "restore-ec2", "production"],
  [productionAccount, "worker", "production"],
];

interface AppliancePlan {
  readonly folder: string;
  readonly endpoint: string;
  readonly bundlePath: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly driftEveryMs: number;
}

async function startInProcess({
  folder,
  endpoint,
  bundlePath,
  keys,
  driftEveryMs,
}: AppliancePlan): Promise<TestAppliance> {
  // As on any machine: the appliance finds who it is in the environment.
  process.env["AWS_ACCESS_KEY_ID"] = keys.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = keys.secretAccessKey;
  const running = await startAppliance(
    { clock: systemClock, random: systemRandom, logger: silentLogger },
    {
      dataDir: join(folder, "appliance"),
      host: "127.0.0.1",
      port: 0,
      region,
      endpoint,
      applianceRoleArn: roleArn(backupAccount, "garrison-appliance"),
      bundlePath,
      untilStdinEnds: false,
      sweepEveryMs: 3_600_000,
      driftEveryMs,
    },
    { workerSilenceMs: 60_000 },
  );
  const { url, installation } = running;
  return { url, installation, token: running.token.text, kill: async () => running[Symbol.asyncDispose]() };
}

/** The program itself, which can be killed as only a process can. */
async function startAsProgram({ folder, endpoint, bundlePath, keys }: AppliancePlan): Promise<TestAppliance> {
  const data = join(folder, "appliance");
  const started = await startProgram<{ readonly url: string; readonly installation: string }>(
    {
      name: "appliance",
      entry: new URL("../../packages/appliance/src/main.ts", import.meta.url),
      args: ["--data", data, "--port", "0", "--bundle", bundlePath],
      environment: {
        ...process.env,
        AWS_REGION: region,
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        GARRISON_APPLIANCE_ROLE_ARN: roleArn(backupAccount, "garrison-appliance"),
        GARRISON_SWEEP_MS: "3600000",
      },
      logFile: join(folder, "appliance.log"),
      readyTimeoutMs: 300_000,
    },
    signal,
  );
  const exited = once(started.process, "exit");
  return {
    ...started.ready,
    token: (await readFile(join(data, "token"), "utf8")).trim(),
    kill: async () => {
      started.process.kill("SIGKILL");
      await exited;
    },
  };
}

export async function openApplianceLab(
  options: { readonly asProgram?: boolean; readonly driftEveryMs?: number } = {},
): Promise<ApplianceLab> {
  const folder = await mkdtemp(join(tmpdir(), "garrison-appliance-lab-"));
  const lab = await startLab({ dataDir: join(folder, "lab"), seed: "demo" });
  const clientsOf = (accountId: string): AwsClients => {
    const keys = lab.operators[accountId]!;
    return openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => ({ ...keys }) });
  };
  const operator = { production: clientsOf(productionAccount), backup: clientsOf(backupAccount) };
  for (const bucket of [names.bucket, names.stagingBucket])
    await createBucket(operator.backup, bucket, { signal });
  const bundle = await buildWorkerBundle(
    { architecture: "x64", cacheDir: join(tmpdir(), "garrison-test-bundle") },
    { signal },
  );
  const instance = await seedWeb(lab, folder);
  const plan = {
    folder,
    endpoint: lab.endpoint,
    bundlePath: bundle.path,
    keys: lab.operators[backupAccount]!,
    driftEveryMs: options.driftEveryMs ?? 86_400_000,
  };
  const start = () => (options.asProgram === true ? startAsProgram(plan) : startInProcess(plan));
  const appliance = await start();
  const client = ({ url, token }: TestAppliance) => openApiClient({ url, token });
  const opened: ApplianceLab = {
    folder,
    lab,
    operator,
    instance,
    appliance,
    api: client(appliance),
    async restart() {
      await this.appliance.kill();
      this.appliance = await start();
      this.api = client(this.appliance);
    },
    async stop() {
      await this.appliance.kill();
      for (const clients of Object.values(operator)) clients.close();
      await lab.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await configure(opened);
  return opened;
}

async function configure({ api, appliance, operator }: ApplianceLab): Promise<void> {
  for (const [accountId, role, placement] of placements) {
    const documents = exportRole(role, { ...exportOptions(appliance.installation), placement });
    const clients = accountId === backupAccount ? operator.backup : operator.production;
    await createRole(clients, documents, { signal });
  }
  const shared = { region, externalId };
  const worker = (accountId: string) => ({ worker: roleArn(accountId, "garrison-worker") });
  const deployment = roleArn(backupAccount, "garrison-worker-deployment");
  const backupRoles = { ...worker(backupAccount), workerDeployment: deployment };
  await api.call(
    "createAccount",
    { body: { ...shared, id: backupAccount, name: "backup", roles: backupRoles } },
    signal,
  );
  const productionRoles = {
    ...worker(productionAccount),
    backup: roleArn(productionAccount, "garrison-backup-ec2"),
    restore: roleArn(productionAccount, "garrison-restore-ec2"),
  };
  await api.call(
    "createAccount",
    { body: { ...shared, id: productionAccount, name: "production", roles: productionRoles } },
    signal,
  );
  const url = `s3://${names.bucket}/${names.prefix}?region=${region}`;
  const role = { roleArn: roleArn(backupAccount, "garrison-repository"), externalId };
  const { stagingBucket } = names;
  await api.call(
    "createRepository",
    { body: { name: "main", url, mode: "init", ...role, stagingBucket } },
    signal,
  );
}

export function exportOptions(installation: string): ExportOptions {
  return {
    form: "scoped",
    accounts: { backup: backupAccount, production: productionAccount },
    withWorkersInProduction: true,
    regions: [region],
    installation,
    externalId,
    operatorArns: [`arn:aws:iam::${backupAccount}:user/operator`],
    bucket: names.bucket,
    bucketPrefix: names.prefix,
    stagingBuckets: [names.stagingBucket],
  };
}

async function seedWeb(lab: RunningLab, folder: string): Promise<SeededInstance> {
  const volumes = [];
  for (const deviceName of ["/dev/xvda", "/dev/sdf"]) {
    const imageFile = join(folder, `${deviceName.split("/").at(-1)}.img`);
    const file = await open(imageFile, "w");
    await file.truncate(GiB);
    for (const block of [0, 1, 2, 700, 2047]) {
      await file.write(systemRandom.bytes(blockBytes), 0, blockBytes, block * blockBytes);
    }
    await file.close();
    volumes.push({ deviceName, imageFile });
  }
  return seedInstance(lab.lab, { accountId: productionAccount, name: "web-1", volumes });
}

export function arnOf(instance: SeededInstance): string {
  return `arn:aws:ec2:${region}:${productionAccount}:instance/${instance.instanceId}`;
}

/** Starts a run and waits for its end. */
export async function completeRun(lab: ApplianceLab, body: NewRunRequest): Promise<RunWithSteps> {
  const { id } = await lab.api.call("createRun", { body }, signal);
  return waitForRun(lab, id);
}

export async function waitForRun(lab: ApplianceLab, runId: string): Promise<RunWithSteps> {
  let last: RunWithSteps | undefined;
  for await (const run of lab.api.watchRun(runId, signal)) last = run;
  return last!;
}

/** The run as text, for a failed expectation. */
export function tell(run: RunWithSteps): string {
  const steps = run.steps.map(
    (step) =>
      `${step.status} ${step.name}: ${step.log.map(({ message, resource }) => `${message} ${resource ?? ""}`).join("; ")}`,
  );
  return [run.status, JSON.stringify(run.failure), ...steps].join("\n");
}

/** What is in both accounts that Garrison made, whoever recorded it. */
export async function inventory(lab: ApplianceLab) {
  const own = [{ Name: "tag-key", Values: ["garrison:installation"] }];
  const found = {
    snapshots: [] as string[],
    workers: [] as string[],
    queues: [] as string[],
    images: [] as string[],
  };
  for (const clients of Object.values(lab.operator)) {
    const ec2 = clients.ec2();
    const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"], Filters: own }));
    found.snapshots.push(...(Snapshots ?? []).map(({ SnapshotId }) => SnapshotId!));
    const { Images } = await ec2.send(new DescribeImagesCommand({ Owners: ["self"] }));
    found.images.push(...(Images ?? []).map(({ ImageId }) => ImageId!));
    const { Reservations } = await ec2.send(
      new DescribeInstancesCommand({ Filters: [{ Name: "tag-key", Values: ["garrison:worker"] }] }),
    );
    const workers = (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
    const alive = workers.filter(({ State }) => !["terminated", "shutting-down"].includes(State?.Name ?? ""));
    found.workers.push(...alive.map(({ InstanceId }) => InstanceId!));
    const { QueueUrls } = await clients.sqs().send(new ListQueuesCommand({ QueueNamePrefix: "garrison-" }));
    found.queues.push(...(QueueUrls ?? []));
  }
  found.snapshots.sort();
  return found;
}

/** Changes one block of a disk, as its owner would. */
export async function overwriteBlock(path: string, index: number): Promise<void> {
  const file = await open(path, "r+");
  await file.write(systemRandom.bytes(blockBytes), 0, blockBytes, index * blockBytes);
  await file.close();
}

/** Deletes the map packs of one restore point, as a careless hand in the bucket would. */
export async function deleteMaps(lab: ApplianceLab, point: string): Promise<void> {
  const s3 = lab.operator.backup.s3();
  const Prefix = `${names.prefix}/${productionAccount}/map/${point}/`;
  const { Contents: found = [] } = await s3.send(new ListObjectsV2Command({ Bucket: names.bucket, Prefix }));
  for (const { Key } of found) await s3.send(new DeleteObjectCommand({ Bucket: names.bucket, Key }));
  if (found.length === 0) throw new Error(`nothing is below ${Prefix}`);
}
