import { and, asc, desc, eq, inArray, isNull } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { madeResources, type LaunchingRole, type MadeKind } from "./database/schema.ts";
import { withoutNulls } from "./without-nulls.ts";

/** Something that a run makes in AWS. Without `resourceId` it is an intent: the call may or may not have happened. */
export interface MadeResource {
  readonly id: number;
  readonly runId: string;
  readonly kind: MadeKind;
  readonly accountId: string;
  readonly region: string;
  readonly role: LaunchingRole;
  readonly token: string;
  readonly resourceId?: string;
  readonly intendedAt: Date;
  /** What it is still needed as, after its run: `base` of the next backup, `restored` for the user. */
  readonly keptAs?: string;
}

export interface Intent {
  readonly runId: string;
  readonly kind: MadeKind;
  readonly accountId: string;
  readonly region: string;
  readonly role: LaunchingRole;
  readonly token: string;
  readonly intendedAt: Date;
}

type Row = typeof madeResources.$inferSelect;

function toMade(row: Row): MadeResource {
  return withoutNulls(row);
}

/** Writes the intent; said again (after a restart) it answers the first one, with what has become of it. */
export async function recordIntent(queries: Queries, intent: Intent): Promise<MadeResource> {
  await queries.insert(madeResources).values(intent).onConflictDoNothing();
  const [row] = await queries
    .select()
    .from(madeResources)
    .where(
      and(
        eq(madeResources.runId, intent.runId),
        eq(madeResources.kind, intent.kind),
        eq(madeResources.token, intent.token),
      ),
    );
  return toMade(row!);
}

export async function recordMade(
  queries: Queries,
  id: number,
  made: { readonly resourceId: string; readonly at: Date },
): Promise<void> {
  const change = { resourceId: made.resourceId, madeAt: made.at };
  await queries.update(madeResources).set(change).where(eq(madeResources.id, id));
}

export async function recordRemoved(queries: Queries, id: number, at: Date): Promise<void> {
  await queries.update(madeResources).set({ removedAt: at }).where(eq(madeResources.id, id));
}

/** Takes these out of the run's undo: they are needed after it (`keptAs`), or no longer (undefined). */
export async function keepMade(
  queries: Queries,
  resourceIds: readonly string[],
  keptAs: string | undefined,
): Promise<void> {
  if (resourceIds.length === 0) return;
  await queries
    .update(madeResources)
    .set({ keptAs: keptAs ?? null })
    .where(inArray(madeResources.resourceId, [...resourceIds]));
}

/** What a run made and nobody needs, the latest first: the order in which it is undone. */
export async function listLeftOf(queries: Queries, runId: string): Promise<readonly MadeResource[]> {
  const rows = await queries
    .select()
    .from(madeResources)
    .where(and(eq(madeResources.runId, runId), isNull(madeResources.removedAt), isNull(madeResources.keptAs)))
    .orderBy(desc(madeResources.id));
  return rows.map(toMade);
}

/** Everything that is recorded and not removed, kept things too. */
export async function listRecorded(queries: Queries): Promise<readonly MadeResource[]> {
  const rows = await queries
    .select()
    .from(madeResources)
    .where(isNull(madeResources.removedAt))
    .orderBy(asc(madeResources.id));
  return rows.map(toMade);
}
