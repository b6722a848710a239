import type { RepositoryBody } from "@garrison/api/schemas/repositories";
import { GarrisonError } from "@garrison/core/garrison-error";
import { asc, eq, gt } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { repositories } from "./database/schema.ts";
import { isUniqueViolation } from "./is-unique-violation.ts";
import { readCursor, toPage, type Page, type PageRequest } from "./page.ts";
import { withoutNulls } from "./without-nulls.ts";

/** A repository with its sealed secret: never leaves the appliance. */
export interface StoredRepository extends RepositoryBody {
  readonly secret: string;
  readonly externalId?: string;
  readonly bucketKeyArn?: string;
}

type Row = typeof repositories.$inferSelect;

function toRepository(row: Row): StoredRepository {
  return { ...withoutNulls(row), createdAt: row.createdAt.toISOString() };
}

/** What may be answered to a client. */
export function withoutSecret(repository: StoredRepository): RepositoryBody {
  const { secret: _, externalId: __, bucketKeyArn: ___, ...body } = repository;
  return body;
}

export async function createRepositoryRecord(
  queries: Queries,
  repository: Omit<StoredRepository, "createdAt"> & { readonly createdAt: Date },
): Promise<StoredRepository> {
  try {
    const [row] = await queries.insert(repositories).values(repository).returning();
    return toRepository(row!);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new GarrisonError(
      "record-exists",
      `a repository with the name ${repository.name} or at ${repository.url} exists`,
      { cause: error },
    );
  }
}

/** Throws `record-missing`. */
export async function readRepositoryRecord(queries: Queries, id: string): Promise<StoredRepository> {
  const [row] = await queries.select().from(repositories).where(eq(repositories.id, id));
  if (row !== undefined) return toRepository(row);
  throw new GarrisonError("record-missing", `there is no repository ${id}`);
}

export async function findRepositoryByName(
  queries: Queries,
  name: string,
): Promise<StoredRepository | undefined> {
  const [row] = await queries.select().from(repositories).where(eq(repositories.name, name));
  return row === undefined ? undefined : toRepository(row);
}

export async function listRepositoryRecords(
  queries: Queries,
  request: PageRequest,
): Promise<Page<StoredRepository>> {
  const after = readCursor(request);
  const rows = await queries
    .select()
    .from(repositories)
    .where(after === undefined ? undefined : gt(repositories.id, after))
    .orderBy(asc(repositories.id))
    .limit(request.limit + 1);
  return toPage(rows.map(toRepository), request, (repository) => repository.id);
}
