import type { OperationId, Operations } from "@garrison/api/operations";
import type { z } from "zod";
import { readAccount, listAccounts } from "../store/accounts.ts";
import { listPointRecords } from "../store/points.ts";
import { listRepositoryRecords, readRepositoryRecord, withoutSecret } from "../store/repositories.ts";
import { listDriftRecords } from "../store/role-drift.ts";
import { listResources } from "../store/resources.ts";
import { listRunRecords } from "../store/runs.ts";
import { addAccount, checkAccountRoles, listRoles } from "./accounts.ts";
import type { AppCall, AppDependencies } from "./app-dependencies.ts";
import { checkAllRoles } from "./check-all-roles.ts";
import { readInstallation, readReadiness } from "./installation.ts";
import { showPoint } from "./points.ts";
import { addRepository, checkStoredRepository } from "./repositories.ts";
import { rescanResources } from "./resources.ts";
import { cancelRun, showRun, startRun, watchRun } from "./runs.ts";
import { listWorkers } from "./workers.ts";

type PartOf<Operation, Part extends string> = Operation extends { readonly [Name in Part]: infer Schema }
  ? Schema extends z.ZodType
    ? z.output<Schema>
    : undefined
  : undefined;

/** What a handler gets: parts that the operation has no schema for are undefined. */
export interface HandlerInput<Id extends OperationId> extends AppCall {
  readonly params: PartOf<Operations[Id], "params">;
  readonly query: PartOf<Operations[Id], "query">;
  readonly body: PartOf<Operations[Id], "body">;
}

/** Answers a value, or for a stream the values one by one. */
export type Handlers = {
  readonly [Id in OperationId]: (
    dependencies: AppDependencies,
    input: HandlerInput<Id>,
  ) => Promise<unknown> | AsyncGenerator<unknown>;
};

/** One function for each operation of the table; the server only carries. */
export const handlers: Handlers = {
  readHealth: async () => ({ status: "ok" }),
  readReadiness,
  readInstallation,
  listAccounts: ({ queries }, { query }) => listAccounts(queries, query),
  createAccount: (dependencies, { body }) => addAccount(dependencies, body),
  readAccount: ({ queries }, { params }) => readAccount(queries, params.accountId),
  checkAccountRoles: (dependencies, { params, body, signal }) =>
    checkAccountRoles(dependencies, params.accountId, { ...body, signal }),
  checkAllRoles: (dependencies, { body, signal }) => checkAllRoles(dependencies, { ...body, signal }),
  listRoles: async () => listRoles(),
  listRoleDrift: ({ queries }, { query }) => listDriftRecords(queries, query),
  listResources: ({ queries }, { query }) => listResources(queries, query),
  rescanResources: (dependencies, { body, signal }) =>
    rescanResources(dependencies, body.accountId, { signal }),
  listRepositories: async ({ queries }, { query }) => {
    const page = await listRepositoryRecords(queries, query);
    return { ...page, items: page.items.map(withoutSecret) };
  },
  createRepository: (dependencies, { body, signal }) => addRepository(dependencies, body, { signal }),
  readRepository: async ({ queries }, { params }) =>
    withoutSecret(await readRepositoryRecord(queries, params.repositoryId)),
  checkRepository: (dependencies, { params, body, signal }) =>
    checkStoredRepository(dependencies, { id: params.repositoryId, ...body }, { signal }),
  listRuns: ({ queries }, { query }) => listRunRecords(queries, query),
  createRun: (dependencies, { body, signal }) => startRun(dependencies, body, { signal }),
  readRun: (dependencies, { params }) => showRun(dependencies, params.runId),
  cancelRun: (dependencies, { params }) => cancelRun(dependencies, params.runId),
  watchRun: (dependencies, { params, signal }) => watchRun(dependencies, params.runId, { signal }),
  listPoints: ({ queries }, { query }) => listPointRecords(queries, query),
  readPoint: (dependencies, { params, signal }) => showPoint(dependencies, params.pointId, { signal }),
  listWorkers: (dependencies, { query }) => listWorkers(dependencies, query),
  planSweep: ({ sweeper }, { signal }) => sweeper.plan({ signal }),
  executeSweep: ({ sweeper }) => sweeper.execute(),
};
