import type { WorkerBody } from "@garrison/api/schemas/workers";
import { listWorkerRecords, type WorkerRecord } from "../store/workers.ts";
import type { Page, PageRequest } from "../store/page.ts";
import type { AppDependencies } from "./app-dependencies.ts";

export async function listWorkers(
  { queries }: AppDependencies,
  request: PageRequest,
): Promise<Page<WorkerBody>> {
  const page = await listWorkerRecords(queries, request);
  return { ...page, items: page.items.map(toBody) };
}

function toBody(worker: WorkerRecord): WorkerBody {
  const { id, runId, accountId, region, placement, status, instanceId, createdAt, lastHeardAt, endedAt } =
    worker;
  return {
    id,
    runId,
    accountId,
    region,
    placement,
    status,
    createdAt: createdAt.toISOString(),
    ...(instanceId === undefined ? {} : { instanceId }),
    ...(lastHeardAt === undefined ? {} : { lastHeardAt: lastHeardAt.toISOString() }),
    ...(endedAt === undefined ? {} : { endedAt: endedAt.toISOString() }),
  };
}
