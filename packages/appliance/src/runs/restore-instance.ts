import type { Account } from "@garrison/api/schemas/accounts";
import type { Point } from "@garrison/api/schemas/points";
import { newRestoreSchema, type NewRestore, type Run } from "@garrison/api/schemas/runs";
import type { InstanceRecipe } from "@garrison/aws/ec2/instance-recipe";
import type { ImageRestoreResult, Task } from "@garrison/channel/messages";
import { GarrisonError } from "@garrison/core/garrison-error";
import { readPoint, sessionsOfPoint } from "@garrison/repository/point/read-point";
import { readAccount } from "../store/accounts.ts";
import { readPointRecord } from "../store/points.ts";
import { readRepositoryRecord, type StoredRepository } from "../store/repositories.ts";
import { requireWholeChain } from "./check-run-chain.ts";
import { grantRepository, toBase64 } from "./grant-repository.ts";
import { launchRestored, removeImage } from "./launch-restored.ts";
import { lendForRestore } from "./lend-credentials.ts";
import type { RunDependencies } from "./run-dependencies.ts";
import type { RunScope } from "./run-scope.ts";
import { completeSnapshots, startSnapshots, type PendingSnapshot } from "./write-snapshots.ts";
import { findWorkerPlace } from "./worker-place.ts";
import { workWithWorkers } from "./work-with-workers.ts";

/** What a restore has decided by the time a worker is needed. */
export interface RestoreJob {
  readonly run: Run;
  readonly request: NewRestore;
  readonly account: Account;
  readonly repository: StoredRepository;
  readonly point: Point;
  readonly recipe: InstanceRecipe;
}

/**
 * Restores an instance to a new place: check the roles, write every volume into a new snapshot, make an image of them,
 * launch it with the recorded settings. Image and snapshots served that one launch and are removed after it.
 */
export async function restoreInstance(
  dependencies: RunDependencies,
  scope: RunScope,
  run: Run,
): Promise<Readonly<Record<string, unknown>>> {
  const request = newRestoreSchema.parse(run.request);
  const { placement } = request;
  const known = await scope.note("read request", () => readJob(dependencies, run, request));
  const { account, repository } = known;
  await scope.step("check the role chain", (step) => {
    const question = { account, operation: "ec2.instance-restore", placement, repository } as const;
    return requireWholeChain(dependencies, question, step);
  });
  const recipe = await scope.step("read the restore point", async (step) => {
    const read = await readRecipe(dependencies, known, step);
    refuseUnsupported(read);
    await step.log(
      `${read.instanceType} with ${read.volumes.length} volumes, of ${read.takenAt}`,
      read.instanceId,
    );
    return read;
  });
  const job: RestoreJob = { ...known, run, request, recipe };
  const snapshots = await scope.step("start snapshots", (step) => startSnapshots(dependencies, job, step));
  const place = await scope.note("choose place", () =>
    findWorkerPlace(dependencies, { placement, account, role: "restore" }),
  );
  const result = await workWithWorkers(dependencies, scope, {
    title: "write blocks",
    place,
    repository,
    task: (_laneId, call) => restoreTask(dependencies, { job, snapshots }, call),
    lend: (call) => lendForRestore(dependencies, loanOf(job, snapshots), call),
  });
  if (result.verb !== "image-restore") throw new GarrisonError("internal", `the worker did ${result.verb}`);
  await scope.step("complete the snapshots", (step) =>
    completeSnapshots(dependencies, { job, result }, step),
  );
  const launched = await launchRestored(dependencies, scope, { job, snapshots });
  await removeImage(dependencies, scope);
  return summarize(job, result, launched);
}

async function readJob(dependencies: RunDependencies, run: Run, request: NewRestore) {
  const { queries } = dependencies;
  const point = await readPointRecord(queries, request.point);
  return {
    point,
    run,
    request,
    account: await readAccount(queries, request.accountId ?? point.accountId),
    repository: await readRepositoryRecord(queries, point.repositoryId),
  };
}

async function readRecipe(
  dependencies: RunDependencies,
  { point, repository }: Pick<RestoreJob, "point" | "repository">,
  call: { readonly signal: AbortSignal },
): Promise<InstanceRecipe> {
  const opened = await dependencies.repositories.open(repository, call);
  const keys = opened.repository.domainKeys(point.accountId);
  const dataKey = (epoch: number) => opened.repository.sessionDataKey(point.accountId, point.id, epoch);
  const address = { series: point.resource, sessionId: point.id };
  const { description } = await readPoint({ store: opened.store, keys, dataKey }, address, call);
  const recipe = description?.["recipe"] as InstanceRecipe | undefined;
  if (description?.["kind"] === "ec2-instance" && recipe?.version === 1) return recipe;
  throw new GarrisonError(
    "restore-unsupported",
    `restore point ${point.id} does not describe an EC2 instance`,
  );
}

/** An image made of snapshots loses what licences hang on: such an instance needs its source image. */
function refuseUnsupported(recipe: InstanceRecipe): void {
  if (recipe.usageOperation === "RunInstances" && recipe.productCodes.length === 0) return;
  const products =
    recipe.productCodes.length === 0 ? "" : ` with product codes ${recipe.productCodes.join(", ")}`;
  throw new GarrisonError(
    "restore-unsupported",
    `${recipe.instanceId} is billed as ${recipe.usageOperation} (${recipe.platformDetails})${products}`,
  );
}

async function restoreTask(
  dependencies: RunDependencies,
  { job, snapshots }: { readonly job: RestoreJob; readonly snapshots: readonly PendingSnapshot[] },
  call: { readonly signal: AbortSignal },
): Promise<Task> {
  const { point, repository } = job;
  const opened = await dependencies.repositories.open(repository, call);
  const domain = point.accountId;
  const keys = opened.repository.domainKeys(domain);
  const address = { series: point.resource, sessionId: point.id };
  const sessions = await sessionsOfPoint({ store: opened.store, keys }, address, call);
  return {
    verb: "image-restore",
    region: job.account.region,
    repository: grantRepository(opened, domain),
    series: point.resource,
    point: point.id,
    sessionKeys: Object.fromEntries(
      sessions.map(({ sessionId, epoch }) => [
        sessionId,
        toBase64(opened.repository.sessionDataKey(domain, sessionId, epoch)),
      ]),
    ),
    volumes: snapshots.map(({ volumeId, snapshotId }) => ({ volumeId, snapshotId })),
  };
}

function loanOf(job: RestoreJob, snapshots: readonly PendingSnapshot[]) {
  const { run, account, repository, point, recipe } = job;
  const keys = recipe.volumes.flatMap(({ kmsKeyArn }) => kmsKeyArn ?? []);
  return {
    runId: run.id,
    account,
    repository,
    domain: point.accountId,
    snapshotIds: snapshots.map(({ snapshotId }) => snapshotId),
    kmsKeyArns: [...new Set(keys)],
  };
}

function summarize(
  job: RestoreJob,
  result: ImageRestoreResult,
  launched: { readonly instanceId: string; readonly volumes: readonly unknown[] },
) {
  return {
    point: job.point.id,
    instanceId: launched.instanceId,
    accountId: job.account.id,
    volumes: launched.volumes,
    written: result.volumes,
    durationMs: result.durationMs,
  };
}
