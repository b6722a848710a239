import type { Resource } from "@garrison/api/schemas/resources";
import { GarrisonError } from "@garrison/core/garrison-error";
import { and, asc, eq, gt, lt } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { resources } from "./database/schema.ts";
import { readCursor, toPage, type Page, type PageRequest } from "./page.ts";

type Row = typeof resources.$inferSelect;

function toResource(row: Row): Resource {
  return { ...row, kind: "ec2-instance", seenAt: row.seenAt.toISOString() };
}

/** Stores what a scan of one account saw; what it saw no more is forgotten. */
export async function replaceResources(
  queries: Queries,
  scan: { readonly accountId: string; readonly seenAt: Date; readonly found: readonly Resource[] },
): Promise<void> {
  for (const { kind: _, ...resource } of scan.found) {
    const row = { ...resource, seenAt: scan.seenAt };
    await queries.insert(resources).values(row).onConflictDoUpdate({ target: resources.arn, set: row });
  }
  await queries
    .delete(resources)
    .where(and(eq(resources.accountId, scan.accountId), lt(resources.seenAt, scan.seenAt)));
}

/** Throws `record-missing`. */
export async function readResource(queries: Queries, arn: string): Promise<Resource> {
  const [row] = await queries.select().from(resources).where(eq(resources.arn, arn));
  if (row !== undefined) return toResource(row);
  throw new GarrisonError("record-missing", `${arn} was not seen by the last scan`);
}

export async function listResources(
  queries: Queries,
  request: PageRequest & { readonly accountId?: string | undefined },
): Promise<Page<Resource>> {
  const after = readCursor(request);
  const { accountId } = request;
  const rows = await queries
    .select()
    .from(resources)
    .where(
      and(
        accountId === undefined ? undefined : eq(resources.accountId, accountId),
        after === undefined ? undefined : gt(resources.arn, after),
      ),
    )
    .orderBy(asc(resources.arn))
    .limit(request.limit + 1);
  return toPage(rows.map(toResource), request, (resource) => resource.arn);
}
