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
}

/** Starts what is needed and configures it through the same doors that a user has; does again only what is missing. */
export async function setUpDemo(
  options: DemoOptions,
  context: CliContext,
  timer: DemoTimer,
): Promise<RunningDemo> {
  const { signal } = context;
  await using open = new AsyncDisposableStack();
  const lab = await timer.run("start the lab", async () => {
    const started = await startDemoLab(
      { dataDir: options.dataDir, port: options.labPort, environment: context.environment },
      signal,
    );
    return [started, started.endpoint] as const;
  });
  open.use(lab);
  const [images, bundle] = await timer.run("build the disks and the worker's bundle", async () => {
    const plan = imagesPlan(options);
    const built = await Promise.all([
      buildDiskImages(plan, signal),
      buildDemoBundle(options.dataDir, signal),
    ]);
    return [
      built,
      `${options.rootFilesMiB + options.dataFilesMiB} MiB of files, bundle ${formatSize(built[1].sizeBytes)}`,
    ] as const;
  });
  await timer.run("put web-1 into the production account", () => seedOnce(lab, images, signal));
  const appliance = await timer.run("start the appliance", async () => {
    const started = await startDemoAppliance(
      { ...options, lab, bundle, environment: context.environment },
      signal,
    );
    return [started, started.ready.url] as const;
  });
  open.use(appliance);
  const api = openApiClient({ url: appliance.ready.url, token: appliance.ready.token });
  await configure({ lab, api, timer }, signal);
  const keep = open.move();
  return { lab, appliance, api, [Symbol.asyncDispose]: () => keep.disposeAsync() };
}

function imagesPlan(options: DemoOptions) {
  return {
    folder: join(options.dataDir, "images"),
    sources: ["/usr/lib", "/usr/bin", "/usr/share"],
    rootFilesBytes: options.rootFilesMiB * MiB,
    dataFilesBytes: options.dataFilesMiB * MiB,
  };
}

async function seedOnce(
  lab: DemoLab,
  images: DiskImages,
  signal: AbortSignal,
): Promise<readonly [undefined, string]> {
  const clients = lab.operatorClients(demoNames.productionAccount);
  try {
    const instances = await listInstances(clients, {}, { signal });
    if (instances.some(({ name }) => name === demoNames.instance)) return [undefined, "it is there"];
    await lab.seedInstance(images, signal);
    return [undefined, "root disk ext4, data disk Btrfs"];
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
