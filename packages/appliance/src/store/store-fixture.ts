import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@garrison/core/logger";
import { openDatabase, type Database } from "./database/open-database.ts";

/** An embedded database of its own for one test file. */
export async function openTestDatabase(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), "garrison-store-"));
  const database = await openDatabase({ folder, logger: silentLogger });
  return {
    queries: database.queries,
    pool: database.pool,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const testAccount = {
  id: "222222222222",
  name: "production",
  region: "eu-central-1",
  roles: {},
  workerConfiguration: { instanceType: "t3.medium" },
} as const;
