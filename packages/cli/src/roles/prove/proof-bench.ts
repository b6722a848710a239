import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { openApiClient, type ApiClient } from "@garrison/api/client";
import type { AwsClients } from "@garrison/aws/aws-clients";
import { createBucket } from "@garrison/aws/create-bucket";
import { createKey } from "@garrison/aws/create-key";
import { createRole } from "@garrison/aws/create-role";
import { encryptBucket } from "@garrison/aws/encrypt-bucket";
import type { Clock } from "@garrison/core/clock";
import type { Random } from "@garrison/core/random";
import { GiB } from "@garrison/core/units";
import { exportRole, type RoleDocuments } from "@garrison/roles/export-role";
import type { CliContext } from "../../cli-context.ts";
import { startDemoAppliance, type DemoBundle } from "../../demo/demo-appliance.ts";
import { startDemoLab, type DemoLab } from "../../demo/demo-lab.ts";
import { openLabDoor, type LabDoor } from "./ask-lab.ts";
import { placedRoles, proofExport, proofNames, roleArn, type PlacedRole } from "./proof-names.ts";

/** A lab and an appliance of their own, configured as an owner would: what one run after the other is tried on. */
export interface ProofBench extends AsyncDisposable {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly door: LabDoor;
  readonly api: ApiClient;
  readonly operator: Readonly<Record<"production" | "backup", AwsClients>>;
  /** A small disk to put into servers. */
  readonly diskFile: string;
  readonly volumeKeyArn: string;
  readonly repositoryKeyArn: string;
  readonly repositoryId: string;
  /** Writes every role in this form, unless that is the form that they have. */
  writeRoles(form: "scoped" | "compatible", signal: AbortSignal): Promise<void>;
  documentsOf(placed: PlacedRole): RoleDocuments;
}

/** A run must not wait here as it would on AWS: what does not come within seconds does not come at all. */
const runLimits = (patienceMs: number) => ({
  workerStartMs: patienceMs,
  bootstrapMs: patienceMs,
  workerSilenceMs: patienceMs,
  maxWorkers: 1,
  pollFirstMs: 100,
  pollLongestMs: 500,
});

const blockBytes = 512 * 1024;

export interface BenchPlan {
  readonly folder: string;
  readonly bundle: DemoBundle;
  /** How long a run waits for a worker that has fallen silent. */
  readonly patienceMs: number;
}

export async function openProofBench(
  { folder, bundle, patienceMs }: BenchPlan,
  context: CliContext,
): Promise<ProofBench> {
  const { signal } = context;
  await mkdir(folder, { recursive: true });
  const environment = {
    ...context.environment,
    GARRISON_RUN_LIMITS: JSON.stringify(runLimits(patienceMs)),
    GARRISON_SWEEP_MS: "86400000",
  };
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await startDemoLab({ dataDir: folder, port: 0, environment }, signal));
  const operator = operatorsOf(lab);
  for (const clients of Object.values(operator)) stack.defer(() => clients.close());
  const keys = await makePlaces(operator, signal);
  // Before the roles are there it may start, but not run anything: their documents name its installation.
  const options = { dataDir: folder, appliancePort: 0, lab, bundle, environment };
  const appliance = stack.use(await startDemoAppliance(options, signal));
  const api = openApiClient(appliance.ready);
  const { installation } = await api.call("readInstallation", {}, signal);
  const diskFile = await writeDisk(join(folder, "disk.img"), context);
  const documentsOf = (placed: PlacedRole, form: "scoped" | "compatible" = "scoped"): RoleDocuments =>
    exportRole(placed.role, {
      ...proofExport({ form, installation, repositoryKeyArn: keys.repositoryKeyArn }),
      placement: placed.placement,
    });
  let written: "scoped" | "compatible" | undefined;
  const writeRoles = async (form: "scoped" | "compatible", call: AbortSignal): Promise<void> => {
    if (written === form) return;
    written = undefined;
    for (const placed of placedRoles) {
      const clients = operator[placed.accountId === proofNames.backupAccount ? "backup" : "production"];
      await createRole(clients, documentsOf(placed, form), { signal: call });
    }
    written = form;
  };
  await createRole(operator.production, applicationRole(), { signal });
  await writeRoles("scoped", signal);
  await registerAccounts(api, signal);
  const repositoryId = await createRepository({ api, ...keys }, proofNames.prefix, signal);
  const opened = stack.move();
  return {
    folder,
    clock: context.clock,
    random: context.random,
    door: openLabDoor(lab.endpoint),
    api,
    operator,
    diskFile,
    repositoryId,
    ...keys,
    documentsOf: (placed) => documentsOf(placed),
    writeRoles,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function operatorsOf(lab: DemoLab): ProofBench["operator"] {
  return {
    production: lab.operatorClients(proofNames.productionAccount),
    backup: lab.operatorClients(proofNames.backupAccount),
  };
}

async function makePlaces(operator: ProofBench["operator"], signal: AbortSignal) {
  const { bucket, stagingBucket } = proofNames;
  for (const name of [bucket, stagingBucket]) await createBucket(operator.backup, name, { signal });
  const repositoryKeyArn = await createKey(operator.backup, "objects of the repository", { signal });
  await encryptBucket(operator.backup, { bucket, kmsKeyArn: repositoryKeyArn }, { signal });
  const volumeKeyArn = await createKey(operator.production, "volumes of an encrypted server", { signal });
  return { repositoryKeyArn, volumeKeyArn };
}

/** Stands for a role of somebody's server: like a worker role it is made for EC2, and it holds nothing of ours. */
function applicationRole(): RoleDocuments {
  const { applicationRole: name, backupAccount, productionAccount } = proofNames;
  const accounts = { backup: backupAccount, production: productionAccount };
  const documents = exportRole("worker", { accounts, names: { worker: name }, externalId: "unused" });
  return { ...documents, inlinePolicies: [], managedPolicies: [] };
}

async function writeDisk(path: string, { random }: CliContext): Promise<string> {
  await using file = await open(path, "w");
  await file.truncate(GiB);
  for (const block of [0, 700]) await file.write(random.bytes(blockBytes), 0, blockBytes, block * blockBytes);
  return path;
}

/** Tells the appliance of the accounts; the roles must be there. */
async function registerAccounts(api: ApiClient, signal: AbortSignal): Promise<void> {
  const { backupAccount, productionAccount, region, externalId } = proofNames;
  const shared = { region, externalId };
  const backupRoles = {
    worker: roleArn(backupAccount, "garrison-worker"),
    workerDeployment: roleArn(backupAccount, "garrison-worker-deployment"),
  };
  const productionRoles = {
    worker: roleArn(productionAccount, "garrison-worker"),
    backup: roleArn(productionAccount, "garrison-backup-ec2"),
    restore: roleArn(productionAccount, "garrison-restore-ec2"),
  };
  const accounts = [
    { ...shared, id: backupAccount, name: "backup", roles: backupRoles },
    { ...shared, id: productionAccount, name: "production", roles: productionRoles },
  ];
  for (const body of accounts) await api.call("createAccount", { body }, signal);
}

/** Makes a repository below that prefix of the bucket and answers its id. */
export async function createRepository(
  { api, repositoryKeyArn }: Pick<ProofBench, "api" | "repositoryKeyArn">,
  prefix: string,
  signal: AbortSignal,
): Promise<string> {
  const { backupAccount, region, externalId, bucket, stagingBucket } = proofNames;
  const body = {
    name: prefix,
    url: `s3://${bucket}/${prefix}?region=${region}`,
    mode: "init" as const,
    roleArn: roleArn(backupAccount, "garrison-repository"),
    externalId,
    stagingBucket,
    bucketKeyArn: repositoryKeyArn,
  };
  return (await api.call("createRepository", { body }, signal)).id;
}
