import type { Account, NewAccount } from "@garrison/api/schemas/accounts";
import { GarrisonError } from "@garrison/core/garrison-error";
import { asc, eq, gt } from "drizzle-orm";
import type { Queries } from "./database/open-database.ts";
import { accounts } from "./database/schema.ts";
import { isUniqueViolation } from "./is-unique-violation.ts";
import { readCursor, toPage, type Page, type PageRequest } from "./page.ts";
import { withoutNulls } from "./without-nulls.ts";

type Row = typeof accounts.$inferSelect;

function toAccount(row: Row): Account {
  return { ...withoutNulls(row), createdAt: row.createdAt.toISOString() };
}

export async function createAccount(
  queries: Queries,
  account: NewAccount,
  createdAt: Date,
): Promise<Account> {
  try {
    const [row] = await queries
      .insert(accounts)
      .values({ ...account, createdAt })
      .returning();
    return toAccount(row!);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new GarrisonError("record-exists", `account ${account.id} or the name ${account.name} is taken`, {
      cause: error,
    });
  }
}

export async function findAccount(queries: Queries, id: string): Promise<Account | undefined> {
  const [row] = await queries.select().from(accounts).where(eq(accounts.id, id));
  return row === undefined ? undefined : toAccount(row);
}

/** Throws `record-missing`. */
export async function readAccount(queries: Queries, id: string): Promise<Account> {
  const found = await findAccount(queries, id);
  if (found !== undefined) return found;
  throw new GarrisonError("record-missing", `account ${id} has not been added`);
}

export async function listAccounts(queries: Queries, request: PageRequest): Promise<Page<Account>> {
  const after = readCursor(request);
  const rows = await queries
    .select()
    .from(accounts)
    .where(after === undefined ? undefined : gt(accounts.id, after))
    .orderBy(asc(accounts.id))
    .limit(request.limit + 1);
  return toPage(rows.map(toAccount), request, (account) => account.id);
}

export async function allAccounts(queries: Queries): Promise<readonly Account[]> {
  return (await queries.select().from(accounts).orderBy(asc(accounts.id))).map(toAccount);
}
