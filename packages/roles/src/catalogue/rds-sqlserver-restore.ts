import type { OperationDefinition } from "../operation-definition.ts";
import { databaseSecret } from "./database-login.ts";
import { databasePath } from "./database-path.ts";
import { sqlServerStaging, stagedFiles } from "./sqlserver-staging.ts";

export const rdsSqlServerRestore: OperationDefinition = {
  id: "rds.sqlserver-restore",
  title: "Restore SQL Server databases on RDS",
  planned: true,
  grants: [...databasePath, ...databaseSecret, ...sqlServerStaging, stagedFiles("s3:PutObject")],
};
