import { GarrisonError } from "@garrison/core/garrison-error";
import { appliance } from "./catalogue/appliance.ts";
import { checkItself } from "./catalogue/check-itself.ts";
import { ec2FileRecovery } from "./catalogue/ec2-file-recovery.ts";
import { ec2ImageBackup } from "./catalogue/ec2-image-backup.ts";
import { ec2InstanceRestore } from "./catalogue/ec2-instance-restore.ts";
import { ec2VolumeRestore } from "./catalogue/ec2-volume-restore.ts";
import { efsBackup } from "./catalogue/efs-backup.ts";
import { efsIndexing } from "./catalogue/efs-indexing.ts";
import { efsRestore } from "./catalogue/efs-restore.ts";
import { organization } from "./catalogue/organization.ts";
import { rdsInstanceRestore } from "./catalogue/rds-instance-restore.ts";
import { rdsPostgresqlBackup } from "./catalogue/rds-postgresql-backup.ts";
import { rdsPostgresqlRestore } from "./catalogue/rds-postgresql-restore.ts";
import { rdsSnapshotBackup } from "./catalogue/rds-snapshot-backup.ts";
import { rdsSqlServerBackup } from "./catalogue/rds-sqlserver-backup.ts";
import { rdsSqlServerRestore } from "./catalogue/rds-sqlserver-restore.ts";
import { repositoryMaintenance } from "./catalogue/repository-maintenance.ts";
import { repositoryRead } from "./catalogue/repository-read.ts";
import { repositoryWrite } from "./catalogue/repository-write.ts";
import { roleDrift } from "./catalogue/role-drift.ts";
import { workerConfiguration } from "./catalogue/worker-configuration.ts";
import { launchInBackup, launchInProduction, launchItself } from "./catalogue/worker-launch.ts";
import { workerProgram } from "./catalogue/worker-program.ts";
import { worker } from "./catalogue/worker.ts";
import type { OperationDefinition } from "./operation-definition.ts";
import type { RoleDefinition, RoleId } from "./role-definition.ts";

const rdsBackups = [rdsSnapshotBackup, rdsPostgresqlBackup, rdsSqlServerBackup];
const rdsRestores = [rdsInstanceRestore, rdsPostgresqlRestore, rdsSqlServerRestore];

/** What a worker may do in the backup account: it reads and writes EBS from anywhere, a database or file tree only at home. */
const workedAnywhere = [ec2ImageBackup, ec2InstanceRestore, ec2VolumeRestore];
const worked = [
  ...workedAnywhere,
  rdsPostgresqlBackup,
  rdsSqlServerBackup,
  rdsPostgresqlRestore,
  rdsSqlServerRestore,
  efsIndexing,
  efsRestore,
];
const everything = [
  ...new Set([...worked, ec2FileRecovery, ...rdsBackups, ...rdsRestores, efsBackup, efsIndexing, efsRestore]),
];

/** Every role that Garrison writes and checks, in the order people meet them. */
export const roleCatalogue: readonly RoleDefinition[] = [
  role(everything, {
    id: "appliance",
    title: "The appliance's own identity",
    livesIn: "backup",
    trusts: ["ec2"],
    hasInstanceProfile: true,
    operations: [appliance],
  }),
  role([ec2ImageBackup], {
    id: "backup-ec2",
    title: "Backs up EC2 instances of its account",
    livesIn: "production",
    trusts: ["appliance"],
    operations: [ec2ImageBackup, launchInProduction, checkItself, roleDrift],
  }),
  role([ec2InstanceRestore, ec2VolumeRestore], {
    id: "restore-ec2",
    title: "Restores EC2 instances and volumes into its account",
    livesIn: "production",
    trusts: ["appliance"],
    operations: [ec2InstanceRestore, ec2VolumeRestore, launchInProduction, checkItself, roleDrift],
  }),
  role(rdsBackups, {
    id: "backup-rds",
    title: "Backs up RDS databases of its account",
    livesIn: "production",
    trusts: ["appliance", "rds"],
    operations: [...rdsBackups, launchInProduction, checkItself, roleDrift],
  }),
  role(rdsRestores, {
    id: "restore-rds",
    title: "Restores RDS databases into its account",
    livesIn: "production",
    trusts: ["appliance", "rds"],
    operations: [...rdsRestores, launchInProduction, checkItself, roleDrift],
  }),
  role([efsBackup, efsIndexing], {
    id: "backup-efs",
    title: "Backs up and indexes EFS file systems of its account",
    livesIn: "production",
    trusts: ["appliance", "backup"],
    operations: [efsBackup, efsIndexing, launchInProduction, checkItself, roleDrift],
  }),
  role([efsRestore], {
    id: "restore-efs",
    title: "Restores EFS file systems into its account",
    livesIn: "production",
    trusts: ["appliance", "backup"],
    operations: [efsRestore, launchInProduction, checkItself, roleDrift],
  }),
  role(worked, {
    id: "worker",
    title: "Attached to worker instances; can only talk",
    livesIn: "worker-account",
    trusts: ["appliance", "ec2"],
    hasInstanceProfile: true,
    operations: [worker],
  }),
  role([ec2FileRecovery], {
    id: "file-recovery-worker",
    title: "Launches workers that recover files, and is attached to them",
    livesIn: "production",
    trusts: ["appliance", "ec2"],
    hasInstanceProfile: true,
    operations: [ec2FileRecovery, launchItself, worker],
  }),
  role([workerConfiguration], {
    id: "worker-configuration",
    title: "Lists networks that workers can be launched in",
    livesIn: "production",
    trusts: ["appliance"],
    operations: [workerConfiguration, checkItself, roleDrift],
  }),
  role(workedAnywhere, {
    id: "worker-deployment",
    title: "Launches workers that run in the backup account",
    livesIn: "backup",
    trusts: ["appliance"],
    operations: [launchInBackup, checkItself, roleDrift],
  }),
  role([...worked, ec2FileRecovery], {
    id: "repository",
    title: "Reads and writes one repository",
    livesIn: "bucket-account",
    trusts: ["appliance"],
    operations: [
      repositoryRead,
      repositoryWrite,
      repositoryMaintenance,
      workerProgram,
      checkItself,
      roleDrift,
    ],
  }),
  role([organization], {
    id: "organization",
    title: "Lists the accounts of an organisation",
    livesIn: "management-account",
    trusts: ["appliance"],
    operations: [organization, checkItself, roleDrift],
  }),
];

type RoleRow = Omit<RoleDefinition, "defaultName" | "hasInstanceProfile" | "serves" | "willServe"> & {
  readonly hasInstanceProfile?: true;
};

function role(takesPartIn: readonly OperationDefinition[], row: RoleRow): RoleDefinition {
  const ids = (planned: boolean) =>
    takesPartIn.filter((operation) => (operation.planned === true) === planned).map(({ id }) => id);
  return {
    hasInstanceProfile: false,
    ...row,
    defaultName: `garrison-${row.id}`,
    serves: ids(false),
    willServe: ids(true),
  };
}

/** The role with that id; a usage error that lists the ids when there is none. */
export function findRole(id: string): RoleDefinition {
  const found = roleCatalogue.find((one) => one.id === id);
  if (found !== undefined) return found;
  throw new GarrisonError("role-unknown", `${id} is not a role of the catalogue: ${roleIds().join(", ")}`);
}

export function roleIds(): readonly RoleId[] {
  return roleCatalogue.map(({ id }) => id);
}

/** The ids of what the product can do today, and of what is planned, in the order of the roles. */
export function operationIds(): readonly string[] {
  return [...new Set(roleCatalogue.flatMap(({ serves, willServe }) => [...serves, ...willServe]))];
}

/** The role that an operation of the product runs as in the account that holds the data. */
export function launchingRoleOf(operation: string): RoleDefinition {
  const found = roleCatalogue.find(
    ({ livesIn, serves, willServe }) =>
      livesIn === "production" && [...serves, ...willServe].includes(operation),
  );
  if (found !== undefined) return found;
  throw new GarrisonError(
    "operation-unknown",
    `${operation} is not an operation: ${operationIds().join(", ")}`,
  );
}
