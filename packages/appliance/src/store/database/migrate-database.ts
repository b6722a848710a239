import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";

const folder = new URL("./migrations/", import.meta.url);
/** Any number that nobody else locks in this database. */
const lockKey = 7_304_157;

/**
 * Applies the files of `migrations/` that this database has not seen, in the order of their names, each in a transaction
 * with the note that it was applied. Two appliances that start together take turns.
 */
export async function migrateDatabase(pool: pg.Pool): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const client = await pool.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [lockKey]);
    await client.query(
      "create table if not exists migration (name text primary key, applied_at timestamptz not null default now())",
    );
    const applied = await client.query<{ name: string }>("select name from migration");
    const known = new Set(applied.rows.map((row) => row.name));
    for (const name of names.filter((candidate) => !known.has(candidate))) await apply(client, name);
    await client.query("select pg_advisory_unlock($1)", [lockKey]);
  } finally {
    client.release();
  }
}

async function apply(client: pg.PoolClient, name: string): Promise<void> {
  const sql = await readFile(new URL(name, folder), "utf8");
  await client.query("begin");
  try {
    await client.query(sql);
    await client.query("insert into migration (name) values ($1)", [name]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}
