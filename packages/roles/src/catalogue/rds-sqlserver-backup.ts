import type { OperationDefinition } from "../operation-definition.ts";
import { databaseSecret } from "./database-login.ts";
import { databasePath } from "./database-path.ts";
import { sqlServerStaging, stagedFiles } from "./sqlserver-staging.ts";

export const rdsSqlServerBackup: OperationDefinition = {
  id: "rds.sqlserver-backup",
  title: "Back up SQL Server databases on RDS as an image",
  planned: true,
  grants: [...databasePath, ...databaseSecret, ...sqlServerStaging, stagedFiles("s3:GetObject")],
};
