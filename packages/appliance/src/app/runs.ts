import {
  hasEnded,
  type NewBackup,
  type NewRestore,
  type NewRun,
  type NewWorkerTest,
  type Run,
  type RunWithSteps,
} from "@garrison/api/schemas/runs";
import type { z } from "zod";
import type { newRunSchema } from "@garrison/api/schemas/runs";
import { GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { newId } from "@garrison/core/ids";
import { roleOf } from "../access/aws-access.ts";
import { findWorkerPlace } from "../runs/worker-place.ts";
import { readAccount } from "../store/accounts.ts";
import { readPointRecord } from "../store/points.ts";
import { readResource } from "../store/resources.ts";
import { listSteps } from "../store/run-steps.ts";
import { createRunRecord, readRunRecord, readRunRevision, type NewRunRecord } from "../store/runs.ts";
import type { AppCall, AppDependencies } from "./app-dependencies.ts";
import { chooseRepository } from "./repositories.ts";
import { rescanResources } from "./resources.ts";

/** Records a run and starts it; what can be known to be wrong is refused at once. */
export async function startRun(
  dependencies: AppDependencies,
  request: z.output<typeof newRunSchema>,
  call: AppCall,
): Promise<Run> {
  const planned = await planRun(dependencies, request, call);
  const { queries, random, clock, durableRuns } = dependencies;
  const id = newId(random, "run");
  const run = await createRunRecord(queries, { ...planned, id, createdAt: new Date(clock.now()) });
  await durableRuns.start(id);
  return run;
}

type PlannedRun = Omit<NewRunRecord, "id" | "createdAt">;

function planRun(
  dependencies: AppDependencies,
  request: z.output<typeof newRunSchema>,
  call: AppCall,
): Promise<PlannedRun> {
  switch (request.kind) {
    case "backup":
      return planBackup(dependencies, request, call);
    case "instance-restore":
      return planRestore(dependencies, request);
    case "worker-test":
      return planWorkerTest(dependencies, request);
  }
}

async function planBackup(
  dependencies: AppDependencies,
  request: NewBackup,
  call: AppCall,
): Promise<PlannedRun> {
  const resource = await findResource(dependencies, request.resource, call);
  const account = await readAccount(dependencies.queries, resource.accountId);
  await findWorkerPlace(dependencies, { placement: request.placement, account, role: "backup" });
  const repository = await chooseReachable(dependencies, request.repositoryId);
  const stored: NewRun = { ...request, repositoryId: repository.id };
  return { kind: "backup", accountId: account.id, resource: resource.arn, request: stored };
}

/** A resource that no scan has seen yet may be new: look once more before refusing. */
async function findResource(dependencies: AppDependencies, arn: string, call: AppCall) {
  const { queries } = dependencies;
  try {
    return await readResource(queries, arn);
  } catch (error) {
    if (!isGarrisonError(error, "record-missing")) throw error;
    await rescanResources(dependencies, arn.split(":")[4], call);
    return readResource(queries, arn);
  }
}

/** Tested in production, as its backup role launches it, whatever Region the account's own is. */
async function planWorkerTest(dependencies: AppDependencies, request: NewWorkerTest): Promise<PlannedRun> {
  const account = await readAccount(dependencies.queries, request.accountId);
  const { workerRoleArn } = await findWorkerPlace(dependencies, {
    placement: "production",
    account,
    role: "backup",
  });
  const repository = await chooseReachable(dependencies, request.repositoryId);
  const stored: NewRun = { ...request, repositoryId: repository.id };
  return { kind: "worker-test", accountId: account.id, resource: workerRoleArn, request: stored };
}

async function chooseReachable(dependencies: AppDependencies, repositoryId: string | undefined) {
  const repository = await chooseRepository(dependencies, repositoryId);
  if (repository.kind === "s3") return repository;
  throw new GarrisonError("request-invalid", `workers can't reach ${repository.url}: it is not on S3`);
}

async function planRestore(dependencies: AppDependencies, request: NewRestore): Promise<PlannedRun> {
  const { queries } = dependencies;
  const point = await readPointRecord(queries, request.point);
  const account = await readAccount(queries, request.accountId ?? point.accountId);
  roleOf(account, "restore");
  await findWorkerPlace(dependencies, { placement: request.placement, account, role: "restore" });
  return {
    kind: "instance-restore",
    accountId: account.id,
    resource: point.resource,
    request,
    point: point.id,
  };
}

export async function showRun({ queries }: AppDependencies, id: string): Promise<RunWithSteps> {
  const run = await readRunRecord(queries, id);
  return { ...run, steps: [...(await listSteps(queries, id))] };
}

export async function cancelRun({ queries, durableRuns }: AppDependencies, id: string): Promise<Run> {
  const run = await readRunRecord(queries, id);
  if (!(await durableRuns.cancel(id))) {
    throw new GarrisonError("run-ended", `${id} has ${run.status}`);
  }
  return readRunRecord(queries, id);
}

const watchPauseMs = 300;

/** The run now, and at each change, until it has ended. Looks at the database, so any appliance's runs can be followed. */
export async function* watchRun(
  dependencies: AppDependencies,
  id: string,
  call: AppCall,
): AsyncGenerator<RunWithSteps> {
  const { queries, clock } = dependencies;
  let seen = -1;
  while (!call.signal.aborted) {
    const revision = await readRunRevision(queries, id);
    if (revision !== seen) {
      seen = revision;
      const run = await showRun(dependencies, id);
      yield run;
      if (hasEnded(run)) return;
    }
    await clock.sleep(watchPauseMs, call.signal).catch(() => undefined);
  }
}
