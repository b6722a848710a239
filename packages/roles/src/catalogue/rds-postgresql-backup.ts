import type { OperationDefinition } from "../operation-definition.ts";
import { databaseSecret, databaseToken } from "./database-login.ts";
import { databasePath } from "./database-path.ts";

/** The dump itself is made by `pg_dump` over the database's own protocol: AWS sees none of it. */
export const rdsPostgresqlBackup: OperationDefinition = {
  id: "rds.postgresql-backup",
  title: "Back up PostgreSQL databases on RDS as an image",
  planned: true,
  grants: [...databasePath, ...databaseSecret, databaseToken],
};
