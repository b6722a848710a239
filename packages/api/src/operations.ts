import { z } from "zod";
import { defineOperations } from "./operation.ts";
import { accountSchema, newAccountSchema } from "./schemas/accounts.ts";
import { pointQuerySchema, pointSchema, pointWithDescriptionSchema } from "./schemas/points.ts";
import {
  newRepositorySchema,
  repositoryCheckRequestSchema,
  repositoryCheckSchema,
  repositorySchema,
} from "./schemas/repositories.ts";
import {
  rescanResultSchema,
  rescanSchema,
  resourceQuerySchema,
  resourceSchema,
} from "./schemas/resources.ts";
import { roleDriftQuerySchema, roleDriftSchema } from "./schemas/role-drift.ts";
import {
  chainReportSchema,
  checkRequestSchema,
  organizationCheckSchema,
  organizationReportSchema,
  roleSummarySchema,
} from "./schemas/roles.ts";
import { newRunSchema, runQuerySchema, runSchema, runWithStepsSchema } from "./schemas/runs.ts";
import { accountIdSchema, pageOf, pageQuerySchema } from "./schemas/shared.ts";
import { sweepPlanSchema, sweepResultSchema } from "./schemas/sweep.ts";
import { workerSchema } from "./schemas/workers.ts";

const accountParams = z.object({ accountId: accountIdSchema });
const repositoryParams = z.object({ repositoryId: z.string() });
const runParams = z.object({ runId: z.string() });
const statusSchema = z.object({ status: z.string() });

/** Every operation of the API by its id. Console and command line use nothing else. */
export const operations = defineOperations({
  readHealth: {
    method: "GET",
    path: "/healthz",
    tag: "appliance",
    summary: "Whether the process answers",
    response: statusSchema,
    isPublic: true,
  },
  readReadiness: {
    method: "GET",
    path: "/readyz",
    tag: "appliance",
    summary: "Whether the database answers and runs are served",
    response: statusSchema,
    isPublic: true,
  },
  readInstallation: {
    method: "GET",
    path: "/api/v1/installation",
    tag: "appliance",
    summary: "Who this appliance is: what its role documents and tags say",
    response: z.object({ installation: z.string(), applianceArn: z.string(), region: z.string() }),
  },
  listAccounts: {
    method: "GET",
    path: "/api/v1/accounts",
    tag: "accounts",
    summary: "List accounts",
    query: pageQuerySchema,
    response: pageOf(accountSchema),
  },
  createAccount: {
    method: "POST",
    path: "/api/v1/accounts",
    tag: "accounts",
    summary: "Add an account with its roles",
    body: newAccountSchema,
    response: accountSchema,
    status: 201,
  },
  readAccount: {
    method: "GET",
    path: "/api/v1/accounts/{accountId}",
    tag: "accounts",
    summary: "Show an account",
    params: accountParams,
    response: accountSchema,
  },
  checkAccountRoles: {
    method: "POST",
    path: "/api/v1/accounts/{accountId}/role-check",
    tag: "roles",
    summary: "Walk the role chain of an operation and say what is broken",
    params: accountParams,
    body: checkRequestSchema,
    response: chainReportSchema,
  },
  checkAllRoles: {
    method: "POST",
    path: "/api/v1/role-check",
    tag: "roles",
    summary: "Check every role of every account, each by itself, at the pace that AWS takes",
    body: organizationCheckSchema,
    response: organizationReportSchema,
  },
  listRoles: {
    method: "GET",
    path: "/api/v1/roles",
    tag: "roles",
    summary: "List the catalogue of roles",
    response: pageOf(roleSummarySchema),
  },
  listRoleDrift: {
    method: "GET",
    path: "/api/v1/role-drift",
    tag: "roles",
    summary: "List what was changed in roles since the last good check, newest first",
    query: roleDriftQuerySchema,
    response: pageOf(roleDriftSchema),
  },
  listResources: {
    method: "GET",
    path: "/api/v1/resources",
    tag: "resources",
    summary: "List what the last scan found",
    query: resourceQuerySchema,
    response: pageOf(resourceSchema),
  },
  rescanResources: {
    method: "POST",
    path: "/api/v1/resources/rescan",
    tag: "resources",
    summary: "Read the instances of one account or of all again",
    body: rescanSchema,
    response: rescanResultSchema,
  },
  listRepositories: {
    method: "GET",
    path: "/api/v1/repositories",
    tag: "repositories",
    summary: "List repositories",
    query: pageQuerySchema,
    response: pageOf(repositorySchema),
  },
  createRepository: {
    method: "POST",
    path: "/api/v1/repositories",
    tag: "repositories",
    summary: "Make a repository, or adopt one that exists",
    body: newRepositorySchema,
    response: repositorySchema,
    status: 201,
  },
  readRepository: {
    method: "GET",
    path: "/api/v1/repositories/{repositoryId}",
    tag: "repositories",
    summary: "Show a repository",
    params: repositoryParams,
    response: repositorySchema,
  },
  checkRepository: {
    method: "POST",
    path: "/api/v1/repositories/{repositoryId}/check",
    tag: "repositories",
    summary: "Check one account's restore points; with level full every block is read",
    params: repositoryParams,
    body: repositoryCheckRequestSchema,
    response: repositoryCheckSchema,
  },
  listRuns: {
    method: "GET",
    path: "/api/v1/runs",
    tag: "runs",
    summary: "List runs, newest first",
    query: runQuerySchema,
    response: pageOf(runSchema),
  },
  createRun: {
    method: "POST",
    path: "/api/v1/runs",
    tag: "runs",
    summary: "Start a backup or a restore",
    body: newRunSchema,
    response: runSchema,
    status: 202,
  },
  readRun: {
    method: "GET",
    path: "/api/v1/runs/{runId}",
    tag: "runs",
    summary: "Show a run with its steps and their log",
    params: runParams,
    response: runWithStepsSchema,
  },
  cancelRun: {
    method: "POST",
    path: "/api/v1/runs/{runId}/cancel",
    tag: "runs",
    summary: "Stop a run and undo what it made",
    params: runParams,
    response: runSchema,
    status: 202,
  },
  watchRun: {
    method: "GET",
    path: "/api/v1/runs/{runId}/events",
    tag: "runs",
    summary: "Follow a run: an event `run` at each change until it has ended",
    params: runParams,
    response: runWithStepsSchema,
    isStream: true,
  },
  listPoints: {
    method: "GET",
    path: "/api/v1/points",
    tag: "points",
    summary: "List restore points, newest first",
    query: pointQuerySchema,
    response: pageOf(pointSchema),
  },
  readPoint: {
    method: "GET",
    path: "/api/v1/points/{pointId}",
    tag: "points",
    summary: "Show a restore point and what it says of the instance",
    params: z.object({ pointId: z.string().regex(/^[0-9a-f]{16}$/) }),
    response: pointWithDescriptionSchema,
  },
  listWorkers: {
    method: "GET",
    path: "/api/v1/workers",
    tag: "workers",
    summary: "List workers, newest first",
    query: pageQuerySchema,
    response: pageOf(workerSchema),
  },
  planSweep: {
    method: "GET",
    path: "/api/v1/sweep",
    tag: "sweep",
    summary: "What a sweep would remove, and what merely looks like ours",
    response: sweepPlanSchema,
  },
  executeSweep: {
    method: "POST",
    path: "/api/v1/sweep",
    tag: "sweep",
    summary: "Remove what ended runs left behind",
    response: sweepResultSchema,
  },
});

export type Operations = typeof operations;
export type OperationId = keyof Operations;
