import type { Account } from "@garrison/api/schemas/accounts";
import { newBackupSchema, type Run } from "@garrison/api/schemas/runs";
import type { InstanceRecipe } from "@garrison/aws/ec2/instance-recipe";
import { readInstanceRecipe } from "@garrison/aws/ec2/read-instance-recipe";
import type { ImageBackupResult, Task } from "@garrison/channel/messages";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { requireCurrentKeys } from "@garrison/repository/keys/require-current-keys";
import { newSessionId } from "@garrison/repository/point/session-id";
import { roleOf } from "../access/aws-access.ts";
import { readAccount } from "../store/accounts.ts";
import { readRepositoryRecord, type StoredRepository } from "../store/repositories.ts";
import { changeRun } from "../store/runs.ts";
import { requireWholeChain } from "./check-run-chain.ts";
import { chooseBase, type BackupBase } from "./choose-base.ts";
import { grantRepository, toBase64 } from "./grant-repository.ts";
import { lendForBackup } from "./lend-credentials.ts";
import { dropFormerBases, recordNewPoint } from "./record-point.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { RunScope } from "./run-scope.ts";
import { tellCoverage } from "./tell-coverage.ts";
import { takeSnapshots, waitForSnapshots, type TakenSnapshot } from "./take-snapshots.ts";
import { findWorkerPlace, type WorkerPlace } from "./worker-place.ts";
import { workWithWorkers } from "./work-with-workers.ts";

/** Everything that a backup has decided by the time a worker is needed. */
interface BackupPlan {
  readonly run: Run;
  readonly account: Account;
  readonly repository: StoredRepository;
  readonly recipe: InstanceRecipe;
  readonly sessionId: string;
  readonly base: BackupBase | null;
  readonly snapshots: readonly TakenSnapshot[];
}

/**
 * Backs up one instance: check the roles, snapshot all volumes at once, let a worker copy what changed into the
 * repository, record the restore point. The new snapshots stay as the base of the next backup; the former ones go.
 */
export async function backUpInstance(
  dependencies: RunDependencies,
  scope: RunScope,
  run: Run,
): Promise<Readonly<Record<string, unknown>>> {
  const { queries } = dependencies;
  const request = newBackupSchema.parse(run.request);
  const { account, repository } = await scope.note("read request", async () => ({
    account: await readAccount(queries, run.accountId),
    repository: await readRepositoryRecord(queries, request.repositoryId ?? ""),
  }));
  const { placement } = request;
  await scope.step("check the role chain", (step) =>
    requireWholeChain(dependencies, { account, operation: "ec2.image-backup", placement, repository }, step),
  );
  const planned = await planBackup(dependencies, scope, { run, account, repository });
  const place = await scope.note("choose place", () =>
    findWorkerPlace(dependencies, { placement, account, role: "backup" }),
  );
  const { plan, result } = await copyBlocks(dependencies, scope, { plan: planned, place });
  const point = recordOf(plan, result);
  await scope.step("record the restore point", async (step) => {
    await tellCoverage(result.volumes, step);
    await recordNewPoint(dependencies, point, step);
  });
  await scope.step("remove older snapshots", (step) =>
    dropFormerBases(
      dependencies,
      { account, repositoryId: repository.id, resource: run.resource, pointId: plan.sessionId },
      step,
    ),
  );
  return { point: plan.sessionId, volumes: result.volumes, durationMs: result.durationMs };
}

interface Copied {
  readonly plan: BackupPlan;
  readonly result: ImageBackupResult;
}

/** Copies on top of the base; if the repository turns out to have lost it, once more without, in a session of its own. */
async function copyBlocks(
  dependencies: RunDependencies,
  scope: RunScope,
  { plan, place }: { readonly plan: BackupPlan; readonly place: WorkerPlace },
): Promise<Copied> {
  const copy = async (chosen: BackupPlan): Promise<Copied> => {
    const result = await workWithWorkers(dependencies, scope, {
      title: "copy blocks",
      place,
      repository: chosen.repository,
      task: (laneId, call) => backupTask(dependencies, { plan: chosen, laneId }, call),
      lend: (call) => lendForBackup(dependencies, loanOf(chosen), call),
    });
    if (result.verb !== "image-backup") throw new GarrisonError("internal", `the worker did ${result.verb}`);
    return { plan: chosen, result };
  };
  try {
    return await copy(plan);
  } catch (error) {
    if (plan.base === null || !baseFailures.some((code) => isGarrisonError(error, code))) throw error;
    const parent = plan.base.parent;
    const sessionId = await scope.step("go on without the base", async (step) => {
      await step.log(`restore point ${parent} can't be built on: every allocated block is read`);
      return openSession(dependencies, { runId: plan.run.id, after: plan.sessionId });
    });
    return copy({ ...plan, base: null, sessionId });
  }
}

/** What a worker says when the point it was to build on is damaged or gone, or what changed since can't be trusted. */
const baseFailures = [
  "parent-unusable",
  "page-damaged",
  "object-damaged",
  "object-malformed",
  "changed-list-lied",
] as const;

/** An id that sorts behind `after`: two sessions may begin in the same second. */
async function openSession(
  { queries, clock, random }: RunDependencies,
  { runId, after }: { readonly runId: string; readonly after?: string | undefined },
): Promise<string> {
  const id = newSessionId({ clock, random }, after);
  await changeRun(queries, runId, { point: id });
  return id;
}

async function planBackup(
  dependencies: RunDependencies,
  scope: RunScope,
  known: Pick<BackupPlan, "run" | "account" | "repository">,
): Promise<BackupPlan> {
  const { clock } = dependencies;
  const { run, account, repository } = known;
  const clients = dependencies.access.role(roleOf(account, "backup"));
  const instanceId = run.resource.split("/").at(-1) ?? "";
  const recipe = await scope.step("read the instance", async (step) => {
    const read = await readInstanceRecipe({ clients, clock }, { instanceId, accountId: account.id }, step);
    await step.log(`${read.instanceType} with ${read.volumes.length} volumes`, instanceId);
    return read;
  });
  const base = await scope.step("choose the base", async (step) => {
    const opened = await dependencies.repositories.open(repository, step);
    return chooseBase(dependencies, { opened, clients, resource: run.resource, domain: account.id }, step);
  });
  const sessionId = await scope.note("open session", () =>
    openSession(dependencies, { runId: run.id, after: base?.parent }),
  );
  const volumeIds = recipe.volumes.map(({ volumeId }) => volumeId);
  const snapshots = await scope.step("take snapshots", (step) =>
    takeSnapshots(dependencies, { runId: run.id, account, instanceId, volumeIds, clients }, step),
  );
  const snapshotIds = snapshots.map(({ snapshotId }) => snapshotId);
  await scope.step("wait for the snapshots", (step) =>
    waitForSnapshots(dependencies, { clients, snapshotIds, what: `the snapshots of ${instanceId}` }, step),
  );
  return { ...known, recipe, sessionId, base, snapshots };
}

async function backupTask(
  dependencies: RunDependencies,
  { plan, laneId }: { readonly plan: BackupPlan; readonly laneId: string },
  call: { readonly signal: AbortSignal },
): Promise<Task> {
  const { account, sessionId, base, run } = plan;
  const opened = await dependencies.repositories.open(plan.repository, call);
  requireCurrentKeys(opened.repository);
  const { epoch } = opened.repository;
  const dataKey = toBase64(opened.repository.sessionDataKey(account.id, sessionId, epoch));
  return {
    verb: "image-backup",
    region: account.region,
    repository: grantRepository(opened, account.id),
    session: { sessionId, laneId, epoch, dataKey },
    series: run.resource,
    ...(base === null ? {} : { parent: base.parent }),
    volumes: plan.snapshots.map(({ volumeId, snapshotId, sizeBytes }) => {
      const baseSnapshotId = base?.snapshots[volumeId];
      return {
        volumeId,
        deviceName: deviceNameOf(plan.recipe, volumeId),
        sizeBytes,
        snapshotId,
        ...(baseSnapshotId === undefined ? {} : { baseSnapshotId }),
      };
    }),
    description: { kind: "ec2-instance", recipe: plan.recipe },
  };
}

function loanOf(plan: BackupPlan) {
  const { account, repository, sessionId, base, run } = plan;
  const keys = plan.recipe.volumes.flatMap(({ kmsKeyArn }) => kmsKeyArn ?? []);
  return {
    runId: run.id,
    account,
    repository,
    domain: account.id,
    sessionId,
    runs: base === null ? [run.id] : [run.id, base.runId],
    kmsKeyArns: [...new Set(keys)],
  };
}

function recordOf(plan: BackupPlan, result: ImageBackupResult) {
  const { run, account, repository, recipe, sessionId, base } = plan;
  return {
    id: sessionId,
    repository,
    accountId: account.id,
    resource: run.resource,
    name: recipe.tags["Name"] ?? recipe.instanceId,
    runId: run.id,
    ...(base === null ? {} : { parent: base.parent }),
    volumes: plan.snapshots.map(({ volumeId, snapshotId, sizeBytes }) => {
      const numbers = result.volumes.find((volume) => volume.volumeId === volumeId);
      return {
        volumeId,
        deviceName: deviceNameOf(recipe, volumeId),
        sizeBytes,
        snapshotId,
        coverage: numbers?.coverage ?? "full",
        blocksRead: numbers?.blocksRead ?? 0,
        bytesRead: numbers?.bytesRead ?? 0,
        blocksStored: numbers?.blocksStored ?? 0,
        bytesStored: numbers?.bytesStored ?? 0,
        blocksReused: numbers?.blocksReused ?? 0,
      };
    }),
  };
}

function deviceNameOf(recipe: InstanceRecipe, volumeId: string): string {
  return recipe.volumes.find((volume) => volume.volumeId === volumeId)?.deviceName ?? volumeId;
}
