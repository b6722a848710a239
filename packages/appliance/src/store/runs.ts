import { endedStatuses, type Run, type RunStatus } from "@garrison/api/schemas/runs";
import { GarrisonError } from "@garrison/core/garrison-error";
import { and, desc, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { runs } from "./database/schema.ts";
import { isUniqueViolation } from "./is-unique-violation.ts";
import { readCursor, toPage, type Page, type PageRequest } from "./page.ts";
import { withoutNulls } from "./without-nulls.ts";

type Row = typeof runs.$inferSelect;

export const openStatuses = ["queued", "running", "undoing"] as const satisfies readonly RunStatus[];

function toRun(row: Row): Run {
  const { revision: _, cancelRequestedAt, createdAt, startedAt, endedAt, ...rest } = withoutNulls(row);
  return {
    ...rest,
    createdAt: createdAt.toISOString(),
    ...(startedAt === undefined ? {} : { startedAt: startedAt.toISOString() }),
    ...(endedAt === undefined ? {} : { endedAt: endedAt.toISOString() }),
    isCancelRequested: cancelRequestedAt !== undefined,
  };
}

export interface NewRunRecord {
  readonly id: string;
  readonly kind: Run["kind"];
  readonly accountId: string;
  readonly resource: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly point?: string | undefined;
  readonly createdAt: Date;
}

/** Throws `run-conflict` when a backup of the same resource is under way. */
export async function createRunRecord(queries: Queries, run: NewRunRecord): Promise<Run> {
  try {
    const [row] = await queries
      .insert(runs)
      .values({ ...run, status: "queued" })
      .returning();
    return toRun(row!);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new GarrisonError("run-conflict", `a backup of ${run.resource} is under way`, { cause: error });
  }
}

/** Throws `record-missing`. */
export async function readRunRecord(queries: Queries, id: string): Promise<Run> {
  const [row] = await queries.select().from(runs).where(eq(runs.id, id));
  if (row !== undefined) return toRun(row);
  throw new GarrisonError("record-missing", `there is no run ${id}`);
}

export interface RunChange {
  readonly status?: RunStatus;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  readonly point?: string;
  readonly progress?: NonNullable<Run["progress"]>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly failure?: NonNullable<Run["failure"]>;
}

/** An ended run is never changed again. */
export async function changeRun(queries: Queries, id: string, change: RunChange): Promise<void> {
  await queries
    .update(runs)
    .set({ ...change, revision: sql`${runs.revision} + 1` })
    .where(and(eq(runs.id, id), inArray(runs.status, [...openStatuses])));
}

/** Says that something of the run changed (a step, a log line), for those who watch it. */
export async function touchRun(queries: Queries, id: string): Promise<void> {
  await queries
    .update(runs)
    .set({ revision: sql`${runs.revision} + 1` })
    .where(eq(runs.id, id));
}

export async function readRunRevision(queries: Queries, id: string): Promise<number> {
  const [row] = await queries.select({ revision: runs.revision }).from(runs).where(eq(runs.id, id));
  return row?.revision ?? 0;
}

/** True when the run was still open. */
export async function requestCancel(queries: Queries, id: string, at: Date): Promise<boolean> {
  const rows = await queries
    .update(runs)
    .set({
      cancelRequestedAt: sql`coalesce(${runs.cancelRequestedAt}, ${at})`,
      revision: sql`${runs.revision} + 1`,
    })
    .where(and(eq(runs.id, id), inArray(runs.status, [...openStatuses])))
    .returning({ id: runs.id });
  return rows.length > 0;
}

export async function isCancelRequested(queries: Queries, id: string): Promise<boolean> {
  const rows = await queries
    .select({ id: runs.id })
    .from(runs)
    .where(and(eq(runs.id, id), isNull(runs.cancelRequestedAt)));
  return rows.length === 0;
}

export interface RunFilter extends PageRequest {
  readonly status?: RunStatus | undefined;
  readonly resource?: string | undefined;
}

/** Newest first. */
export async function listRunRecords(queries: Queries, filter: RunFilter): Promise<Page<Run>> {
  const before = readCursor(filter);
  const rows = await queries
    .select()
    .from(runs)
    .where(
      and(
        filter.status === undefined ? undefined : eq(runs.status, filter.status),
        filter.resource === undefined ? undefined : eq(runs.resource, filter.resource),
        before === undefined ? undefined : olderThan(before),
      ),
    )
    .orderBy(desc(runs.createdAt), desc(runs.id))
    .limit(filter.limit + 1);
  return toPage(rows.map(toRun), filter, (run) => `${run.createdAt}/${run.id}`);
}

function olderThan(cursor: string) {
  const [createdAt = "", id = ""] = cursor.split("/");
  if (Number.isNaN(Date.parse(createdAt))) {
    throw new GarrisonError("request-invalid", "the cursor is not one that a page answered");
  }
  return sql`(${runs.createdAt}, ${runs.id}) < (${createdAt}::timestamptz, ${id})`;
}

/** Runs that have not ended, oldest first: what a started appliance goes on with. */
export async function listOpenRuns(queries: Queries): Promise<readonly Run[]> {
  const rows = await queries
    .select()
    .from(runs)
    .where(inArray(runs.status, [...openStatuses]))
    .orderBy(runs.createdAt);
  return rows.map(toRun);
}

/** Of these runs, the ones that have ended. */
export async function endedRunsOf(queries: Queries, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await queries
    .select({ id: runs.id })
    .from(runs)
    .where(and(inArray(runs.id, [...ids]), inArray(runs.status, [...endedStatuses])));
  return new Set(rows.map((row) => row.id));
}
