import type { WorkerBody } from "@garrison/api/schemas/workers";
import type { PublicKeys } from "@garrison/channel/peer-identity";
import { GarrisonError } from "@garrison/core/garrison-error";
import { desc, eq, lt } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { workers, type LaunchingRole } from "./database/schema.ts";
import { readCursor, toPage, type Page, type PageRequest } from "./page.ts";
import { withoutNulls } from "./without-nulls.ts";

export interface WorkerRecord {
  readonly id: string;
  readonly runId: string;
  readonly accountId: string;
  readonly region: string;
  readonly placement: "production" | "backup";
  readonly role: LaunchingRole;
  readonly status: WorkerBody["status"];
  readonly instanceId?: string;
  readonly queueInUrl?: string;
  readonly queueOutUrl?: string;
  readonly publicKeys?: PublicKeys;
  readonly taskId?: string;
  readonly createdAt: Date;
  readonly lastHeardAt?: Date;
  readonly endedAt?: Date;
}

type Row = typeof workers.$inferSelect;

function toWorker(row: Row): WorkerRecord {
  const { channel: _, channelRevision: __, ...worker } = withoutNulls(row);
  return worker;
}

export async function createWorkerRecord(
  queries: Queries,
  worker: Pick<WorkerRecord, "id" | "runId" | "accountId" | "region" | "placement" | "role" | "createdAt">,
): Promise<void> {
  await queries
    .insert(workers)
    .values({ ...worker, status: "preparing" })
    .onConflictDoNothing();
}

/** Throws `record-missing`. */
export async function readWorkerRecord(queries: Queries, id: string): Promise<WorkerRecord> {
  const [row] = await queries.select().from(workers).where(eq(workers.id, id));
  if (row !== undefined) return toWorker(row);
  throw new GarrisonError("record-missing", `there is no worker ${id}`);
}

export type WorkerChange = Partial<
  Pick<
    WorkerRecord,
    | "status"
    | "instanceId"
    | "queueInUrl"
    | "queueOutUrl"
    | "publicKeys"
    | "taskId"
    | "lastHeardAt"
    | "endedAt"
  >
>;

export async function changeWorker(queries: Queries, id: string, change: WorkerChange): Promise<void> {
  await queries.update(workers).set(change).where(eq(workers.id, id));
}

export async function listWorkersOfRun(queries: Queries, runId: string): Promise<readonly WorkerRecord[]> {
  const rows = await queries
    .select()
    .from(workers)
    .where(eq(workers.runId, runId))
    .orderBy(workers.createdAt);
  return rows.map(toWorker);
}

/** Newest first. */
export async function listWorkerRecords(queries: Queries, request: PageRequest): Promise<Page<WorkerRecord>> {
  const before = readCursor(request);
  const rows = await queries
    .select()
    .from(workers)
    .where(before === undefined ? undefined : lt(workers.createdAt, new Date(before)))
    .orderBy(desc(workers.createdAt))
    .limit(request.limit + 1);
  return toPage(rows.map(toWorker), request, (worker) => worker.createdAt.toISOString());
}
