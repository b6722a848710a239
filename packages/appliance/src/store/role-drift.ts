import type { RoleDrift } from "@garrison/api/schemas/role-drift";
import type { ObservedRole } from "@garrison/roles/drift/observed-role";
import { and, desc, eq, gte, lt, max, sql } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { roleDrifts, roleStates } from "./database/schema.ts";
import { readCursor, toPage, type Page, type PageRequest } from "./page.ts";
import { withoutNulls } from "./without-nulls.ts";

export interface RoleStateRecord {
  readonly observed: ObservedRole;
  readonly goodAt: Date;
}

/** The role as the last good check saw it; undefined before the first. */
export async function findRoleState(queries: Queries, roleArn: string): Promise<RoleStateRecord | undefined> {
  const [row] = await queries.select().from(roleStates).where(eq(roleStates.roleArn, roleArn));
  return row;
}

export async function saveRoleState(queries: Queries, observed: ObservedRole, goodAt: Date): Promise<void> {
  const state = { observed, goodAt, checkedAt: goodAt };
  await queries
    .insert(roleStates)
    .values({ roleArn: observed.roleArn, ...state })
    .onConflictDoUpdate({ target: roleStates.roleArn, set: state });
}

/** Notes that the role was looked at, though it was not good. */
export async function touchRoleState(queries: Queries, roleArn: string, checkedAt: Date): Promise<void> {
  await queries.update(roleStates).set({ checkedAt }).where(eq(roleStates.roleArn, roleArn));
}

/** When any role was looked at last. */
export async function lastRoleCheck(queries: Queries): Promise<Date | undefined> {
  const [row] = await queries.select({ at: max(roleStates.checkedAt) }).from(roleStates);
  return row?.at ?? undefined;
}

export type NewDrift = Omit<typeof roleDrifts.$inferInsert, "seenAt" | "events" | "eventsUnread">;

/** One that was found before is only seen again: it keeps its id, and what it is known to come from. */
export async function recordDrift(
  queries: Queries,
  drift: NewDrift,
): Promise<Pick<RoleDrift, "id" | "events">> {
  const { foundAt: seenAt, isBroken } = drift;
  const target = [roleDrifts.roleArn, roleDrifts.since, roleDrifts.fingerprint];
  const [row] = await queries
    .insert(roleDrifts)
    .values({ ...drift, seenAt, events: [] })
    .onConflictDoUpdate({ target, set: { seenAt, isBroken } })
    .returning({ id: roleDrifts.id, events: roleDrifts.events });
  return row ?? { id: drift.id, events: [] };
}

export type UntoldDrift = Pick<typeof roleDrifts.$inferSelect, "id" | "changes" | "since" | "foundAt">;

/** What was found changed in a role lately, and nobody is known to have done. */
export async function listUntoldDrifts(
  queries: Queries,
  { foundSince, roleArn }: { readonly roleArn: string; readonly foundSince: Date },
): Promise<readonly UntoldDrift[]> {
  const { changes, events, foundAt, id, since } = roleDrifts;
  const isUntold = eq(events, sql`'[]'::jsonb`);
  return await queries
    .select({ id, changes, since, foundAt })
    .from(roleDrifts)
    .where(and(eq(roleDrifts.roleArn, roleArn), isUntold, gte(foundAt, foundSince)))
    .orderBy(id);
}

/** Who made the change, or why that is not known. */
export async function tellDrift(
  queries: Queries,
  id: string,
  told: { readonly events: RoleDrift["events"]; readonly eventsUnread?: string },
): Promise<void> {
  const { events, eventsUnread = null } = told;
  await queries.update(roleDrifts).set({ events, eventsUnread }).where(eq(roleDrifts.id, id));
}

/** Newest first: ids begin with their time. */
export async function listDriftRecords(
  queries: Queries,
  request: PageRequest & { readonly roleArn?: string | undefined },
): Promise<Page<RoleDrift>> {
  const before = readCursor(request);
  const { roleArn } = request;
  const rows = await queries
    .select()
    .from(roleDrifts)
    .where(
      and(
        roleArn === undefined ? undefined : eq(roleDrifts.roleArn, roleArn),
        before === undefined ? undefined : lt(roleDrifts.id, before),
      ),
    )
    .orderBy(desc(roleDrifts.id))
    .limit(request.limit + 1);
  return toPage(rows.map(toDrift), request, ({ id }) => id);
}

function toDrift(row: typeof roleDrifts.$inferSelect): RoleDrift {
  const { fingerprint: _hash, ...rest } = withoutNulls(row);
  return {
    ...rest,
    since: row.since.toISOString(),
    foundAt: row.foundAt.toISOString(),
    seenAt: row.seenAt.toISOString(),
  };
}
