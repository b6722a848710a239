import { join } from "node:path";
import { openApiClient, type ApiClient } from "@garrison/api/client";
import { createBucket } from "@garrison/aws/create-bucket";
import { listInstances } from "@garrison/aws/ec2/list-instances";
import { GarrisonError } from "@garrison/core/garrison-error";
import { formatSize, MiB } from "@garrison/core/units";
import type { CliContext } from "../cli-context.ts";
import type { StartedProgram } from "../start-program.ts";
import { buildDiskImages, type DiskImages } from "./build-disk-images.ts";
import { createDemoRoles } from "./create-demo-roles.ts";
import { buildDemoBundle, startDemoAppliance, type ApplianceReady } from "./demo-appliance.ts";
import { startDemoLab, type DemoLab } from "./demo-lab.ts";
import { demoNames, roleArn } from "./demo-names.ts";
import { settleRuns } from "./demo-runs.ts";
import type { DemoTimer } from "./demo-timer.ts";

export interface DemoOptions {
  readonly dataDir: string;
  /** What is the same in every demo of this size: disk images and the workers' program, made once. */
  readonly partsDir: string;
  readonly labPort: number;
  readonly appliancePort: number;
  readonly rootFilesMiB: number;
  readonly dataFilesMiB: number;
  readonly placement: "production" | "backup";
}

/** What runs beside the demo until it is closed. */
export interface RunningDemo extends AsyncDisposable {
  readonly lab: DemoLab;
  readonly appliance: StartedProgram<ApplianceReady>;
  readonly api: ApiClient;
  /** Starts an appliance on the same folder, after the one before has ended. */
  restartAppliance(): Promise<RunningDemo>;
}

/** Starts what is needed and configures it through the same doors that a user has; does again only what is missing. */
export async function setUpDemo(
  options: DemoOptions,
  context: CliContext,
  timer: DemoTimer,
): Promise<RunningDemo> {
  const { signal } = context;
  await using open = new AsyncDisposableStack();
  const lab = await timer.run("start the lab", () => startLab(options, context));
  open.use(lab);
  const [, startAppliance] = await Promise.all([
    timer.run("put web-1 with its disks into the production account", () => seedDisks(lab, options, signal)),
    timer.run("build the workers' program", () => prepareAppliance(lab, options, context)),
  ]);
  const appliance = await timer.run("start the appliance", async () => {
    const started = await startAppliance();
    return [started, started.ready.url] as const;
  });
  open.use(appliance);
  const api = openApiClient(appliance.ready);
  await configure({ lab, api, timer }, signal);
  return keepRunning({ lab, startAppliance, open: open.move() }, appliance);
}

interface KeptRunning {
  readonly lab: DemoLab;
  readonly startAppliance: () => Promise<StartedProgram<ApplianceReady>>;
  readonly open: AsyncDisposableStack;
}

function keepRunning(kept: KeptRunning, appliance: StartedProgram<ApplianceReady>): RunningDemo {
  return {
    lab: kept.lab,
    appliance,
    api: openApiClient(appliance.ready),
    restartAppliance: async () => keepRunning(kept, kept.open.use(await kept.startAppliance())),
    [Symbol.asyncDispose]: () => kept.open.disposeAsync(),
  };
}

async function startLab(
  { dataDir, labPort }: DemoOptions,
  { environment, signal }: CliContext,
): Promise<readonly [DemoLab, string]> {
  const lab = await startDemoLab({ dataDir, port: labPort, environment }, signal);
  return [lab, lab.endpoint];
}

async function seedDisks(
  lab: DemoLab,
  options: DemoOptions,
  signal: AbortSignal,
): Promise<readonly [undefined, string]> {
  const images = await buildDiskImages(imagesPlan(options), signal);
  const outcome = await seedOnce(lab, images, signal);
  return [undefined, `${outcome}, ${options.rootFilesMiB + options.dataFilesMiB} MiB of files`];
}

async function prepareAppliance(
  lab: DemoLab,
  options: DemoOptions,
  { environment, signal }: CliContext,
): Promise<readonly [KeptRunning["startAppliance"], string]> {
  const bundle = await buildDemoBundle(options, signal);
  const start = () => startDemoAppliance({ ...options, lab, bundle, environment }, signal);
  return [start, formatSize(bundle.sizeBytes)];
}

function imagesPlan(options: DemoOptions) {
  return {
    folder: join(options.partsDir, "images"),
    sources: ["/usr/lib", "/usr/bin", "/usr/share"],
    rootFilesBytes: options.rootFilesMiB * MiB,
    dataFilesBytes: options.dataFilesMiB * MiB,
  };
}

async function seedOnce(lab: DemoLab, images: DiskImages, signal: AbortSignal): Promise<string> {
  const clients = lab.operatorClients(demoNames.productionAccount);
  try {
    const instances = await listInstances(clients, {}, { signal });
    if (instances.some(({ name }) => name === demoNames.instance)) return "it is there";
    await lab.seedInstance(images, signal);
    return "root disk ext4, data disk Btrfs";
  } finally {
    clients.close();
  }
}

interface Configuring {
  readonly lab: DemoLab;
  readonly api: ApiClient;
  readonly timer: DemoTimer;
}

async function configure({ lab, api, timer }: Configuring, signal: AbortSignal): Promise<void> {
  const { installation } = await api.call("readInstallation", {}, signal);
  await timer.run("create the roles from their documents", async () => {
    const backup = lab.operatorClients(demoNames.backupAccount);
    const production = lab.operatorClients(demoNames.productionAccount);
    const clientsOf = (accountId: string) => (accountId === demoNames.backupAccount ? backup : production);
    const changes = await createDemoRoles({ installation, clientsOf }, signal);
    for (const bucket of [demoNames.bucket, demoNames.stagingBucket])
      await createBucket(backup, bucket, { signal });
    backup.close();
    production.close();
    return [undefined, `${changes} changes`] as const;
  });
  await timer.run("register accounts and repository", async () => {
    await registerAccounts(api, signal);
    await registerRepository(api, signal);
    await settleRuns(api, signal);
    return [undefined, ""] as const;
  });
  await timer.run("check the role chains", () => checkChains(api, signal));
  await api.call("rescanResources", { body: {} }, signal);
}

async function registerAccounts(api: ApiClient, signal: AbortSignal): Promise<void> {
  const { backupAccount, productionAccount, externalId, region } = demoNames;
  const known = new Set((await api.call("listAccounts", { query: {} }, signal)).items.map(({ id }) => id));
  const accounts = [
    {
      id: backupAccount,
      name: "backup",
      roles: {
        worker: roleArn(backupAccount, "garrison-worker"),
        workerDeployment: roleArn(backupAccount, "garrison-worker-deployment"),
      },
    },
    {
      id: productionAccount,
      name: "production",
      roles: {
        backup: roleArn(productionAccount, "garrison-backup-ec2"),
        restore: roleArn(productionAccount, "garrison-restore-ec2"),
        worker: roleArn(productionAccount, "garrison-worker"),
      },
    },
  ];
  for (const account of accounts.filter(({ id }) => !known.has(id))) {
    await api.call("createAccount", { body: { ...account, region, externalId } }, signal);
  }
}

async function registerRepository(api: ApiClient, signal: AbortSignal): Promise<void> {
  const { bucket, prefix, region, externalId, stagingBucket, backupAccount } = demoNames;
  if ((await api.call("listRepositories", { query: {} }, signal)).items.length > 0) return;
  const url = `s3://${bucket}/${prefix}?region=${region}`;
  const roleOfRepository = roleArn(backupAccount, "garrison-repository");
  const body = {
    name: "main",
    url,
    mode: "init" as const,
    roleArn: roleOfRepository,
    externalId,
    stagingBucket,
  };
  await api.call("createRepository", { body }, signal);
}

async function checkChains(api: ApiClient, signal: AbortSignal): Promise<readonly [undefined, string]> {
  let links = 0;
  for (const operation of ["ec2.image-backup", "ec2.instance-restore"] as const) {
    const params = { accountId: demoNames.productionAccount };
    const report = await api.call("checkAccountRoles", { params, body: { operation } }, signal);
    links += report.findings.length;
    if (report.verdict === "failed") {
      const broken = report.findings
        .filter(({ verdict }) => verdict === "failed")
        .map(({ sentence }) => sentence);
      throw new GarrisonError("role-chain-broken", broken.join(" "));
    }
  }
  return [undefined, `${links} findings, none broken`];
}
