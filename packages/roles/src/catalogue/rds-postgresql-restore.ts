import type { OperationDefinition } from "../operation-definition.ts";
import { databaseSecret, databaseToken } from "./database-login.ts";
import { databasePath } from "./database-path.ts";

/** Databases go back by `pg_restore` into a DB instance that exists: AWS sees none of it. */
export const rdsPostgresqlRestore: OperationDefinition = {
  id: "rds.postgresql-restore",
  title: "Restore PostgreSQL databases on RDS",
  planned: true,
  grants: [...databasePath, ...databaseSecret, databaseToken],
};
