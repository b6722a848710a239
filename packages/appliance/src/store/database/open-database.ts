import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { dataDir as readFreshDatabase } from "@electric-sql/pglite-prepopulatedfs";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import pg from "pg";
import { lockFolder } from "./lock-folder.ts";
import { migrateDatabase } from "./migrate-database.ts";

export type Queries = NodePgDatabase<Record<string, never>>;

/** The appliance's state, and that of its durable runs: one database, one pool. */
export interface Database extends AsyncDisposable {
  readonly queries: Queries;
  readonly pool: pg.Pool;
}

export interface DatabaseOptions {
  /** `postgresql://...`; absent: the embedded one in `folder`. */
  readonly url?: string;
  readonly folder: string;
  readonly logger: Logger;
}

/** Enough for one appliance; several share a server's connections. */
const serverConnections = 10;

/** Opens the database and brings its tables up to date. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const source = options.url === undefined ? await openEmbedded(options.folder) : openServer(options.url);
  const { pool, close } = source;
  pool.on("error", (error) =>
    options.logger.warn({ error: error.message }, "a database connection was lost"),
  );
  try {
    await migrateDatabase(pool);
  } catch (error) {
    await close();
    throw new GarrisonError("database-failed", "bringing the appliance's tables up to date", {
      cause: error,
    });
  }
  return { queries: drizzle({ client: pool }), pool, [Symbol.asyncDispose]: close };
}

interface OpenedPool {
  readonly pool: pg.Pool;
  readonly close: () => Promise<void>;
}

function openServer(url: string): OpenedPool {
  const pool = new pg.Pool({ connectionString: url, max: serverConnections });
  return { pool, close: () => pool.end() };
}

/**
 * One connection only: the embedded database is one session, and its socket passes on the messages of several
 * connections as they come, so that one's `Parse` could be followed by another's `Bind`. The socket is a file in a folder
 * that only this user can enter, since the embedded database asks nobody who he is.
 */
async function openEmbedded(folder: string): Promise<OpenedPool> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(folder);
  const embedded = await createOrOpen(folder).catch((error: unknown) => {
    unlock();
    throw error;
  });
  // The path of a socket has at most 108 bytes: not a place for a folder of the user's choice.
  const socketFolder = await mkdtemp(join(tmpdir(), "garrison-"));
  await chmod(socketFolder, 0o700);
  const server = new PGLiteSocketServer({
    db: embedded,
    path: join(socketFolder, ".s.PGSQL.5432"),
    maxConnections: 4,
  });
  await server.start();
  const pool = new pg.Pool({ host: socketFolder, user: "postgres", database: "postgres", max: 1 });
  const close = async () => {
    await pool.end();
    await server.stop();
    await embedded.close();
    unlock();
    await rm(socketFolder, { recursive: true, force: true });
  };
  return { pool, close };
}

/**
 * A new database is unpacked from the one that the package carries: to initialise one takes ten seconds of processor time. A
 * mark beside it tells one that was cut short, which holds nothing yet.
 */
async function createOrOpen(folder: string): Promise<PGlite> {
  const dataDir = join(folder, "database");
  const mark = join(folder, "database.incomplete");
  if (existsSync(dataDir) && !existsSync(mark)) return PGlite.create({ dataDir });
  await writeFile(mark, "");
  await rm(dataDir, { recursive: true, force: true });
  const created = await PGlite.create({ dataDir, loadDataDir: await readFreshDatabase() });
  await rm(mark);
  return created;
}
