import type { Point } from "@garrison/api/schemas/points";
import { GarrisonError } from "@garrison/core/garrison-error";
import { and, desc, eq, lt } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { points } from "./database/schema.ts";
import { readCursor, toPage, type Page, type PageRequest } from "./page.ts";
import { withoutNulls } from "./without-nulls.ts";

type Row = typeof points.$inferSelect;

function toPoint(row: Row): Point {
  return { ...withoutNulls(row), createdAt: row.createdAt.toISOString() };
}

/** Recording the same point again changes nothing. */
export async function recordPoint(
  queries: Queries,
  point: Omit<Point, "createdAt"> & { readonly createdAt: Date },
): Promise<void> {
  await queries
    .insert(points)
    .values({ ...point, volumes: [...point.volumes] })
    .onConflictDoNothing();
}

/** Throws `record-missing`. */
export async function readPointRecord(queries: Queries, id: string): Promise<Point> {
  const [row] = await queries.select().from(points).where(eq(points.id, id));
  if (row !== undefined) return toPoint(row);
  throw new GarrisonError("record-missing", `there is no restore point ${id}`);
}

/** Newest first. A point's id begins with its time, so ids order them. */
export async function listPointRecords(
  queries: Queries,
  request: PageRequest & { readonly resource?: string | undefined; readonly repositoryId?: string },
): Promise<Page<Point>> {
  const before = readCursor(request);
  const { resource, repositoryId } = request;
  const rows = await queries
    .select()
    .from(points)
    .where(
      and(
        resource === undefined ? undefined : eq(points.resource, resource),
        repositoryId === undefined ? undefined : eq(points.repositoryId, repositoryId),
        before === undefined ? undefined : lt(points.id, before),
      ),
    )
    .orderBy(desc(points.id))
    .limit(request.limit + 1);
  return toPage(rows.map(toPoint), request, (point) => point.id);
}

/** Forgets which snapshots the resource's earlier points had: they are gone. */
export async function forgetSnapshots(queries: Queries, id: string): Promise<void> {
  const point = await readPointRecord(queries, id);
  const volumes = point.volumes.map(({ snapshotId: _gone, ...volume }) => volume);
  await queries.update(points).set({ volumes }).where(eq(points.id, id));
}
