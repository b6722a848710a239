import { GarrisonError } from "@garrison/core/garrison-error";
import { appliance } from "./catalogue/appliance.ts";
import { checkItself } from "./catalogue/check-itself.ts";
import { ec2ImageBackup } from "./catalogue/ec2-image-backup.ts";
import { ec2InstanceRestore } from "./catalogue/ec2-instance-restore.ts";
import { repository } from "./catalogue/repository.ts";
import { roleDrift } from "./catalogue/role-drift.ts";
import { launchInBackup, launchInProduction } from "./catalogue/worker-launch.ts";
import { worker } from "./catalogue/worker.ts";
import type { RoleDefinition, RoleId } from "./role-definition.ts";

const both = [ec2ImageBackup.id, ec2InstanceRestore.id];

/** Every role that Garrison writes and checks, in the order people meet them. */
export const roleCatalogue: readonly RoleDefinition[] = [
  {
    id: "appliance",
    defaultName: "garrison-appliance",
    title: "The appliance's own identity",
    livesIn: "backup",
    trusts: ["ec2"],
    hasInstanceProfile: true,
    operations: [appliance],
    serves: both,
  },
  {
    id: "backup-ec2",
    defaultName: "garrison-backup-ec2",
    title: "Backs up EC2 instances of its account",
    livesIn: "production",
    trusts: ["appliance"],
    hasInstanceProfile: false,
    operations: [ec2ImageBackup, launchInProduction, checkItself, roleDrift],
    serves: [ec2ImageBackup.id],
  },
  {
    id: "restore-ec2",
    defaultName: "garrison-restore-ec2",
    title: "Restores EC2 instances into its account",
    livesIn: "production",
    trusts: ["appliance"],
    hasInstanceProfile: false,
    operations: [ec2InstanceRestore, launchInProduction, checkItself, roleDrift],
    serves: [ec2InstanceRestore.id],
  },
  {
    id: "worker",
    defaultName: "garrison-worker",
    title: "Attached to worker instances; can only talk",
    livesIn: "worker-account",
    trusts: ["appliance", "ec2"],
    hasInstanceProfile: true,
    operations: [worker],
    serves: both,
  },
  {
    id: "worker-deployment",
    defaultName: "garrison-worker-deployment",
    title: "Launches workers that run in the backup account",
    livesIn: "backup",
    trusts: ["appliance"],
    hasInstanceProfile: false,
    operations: [launchInBackup, checkItself, roleDrift],
    serves: both,
  },
  {
    id: "repository",
    defaultName: "garrison-repository",
    title: "Reads and writes one repository",
    livesIn: "bucket-account",
    trusts: ["appliance"],
    hasInstanceProfile: false,
    operations: [repository, checkItself, roleDrift],
    serves: both,
  },
];

/** The role with that id; a usage error that lists the ids when there is none. */
export function findRole(id: string): RoleDefinition {
  const found = roleCatalogue.find((role) => role.id === id);
  if (found !== undefined) return found;
  throw new GarrisonError("role-unknown", `${id} is not a role of the catalogue: ${roleIds().join(", ")}`);
}

export function roleIds(): readonly RoleId[] {
  return roleCatalogue.map((role) => role.id);
}

/** The role that an operation of the product runs as in the account that holds the data. */
export function launchingRoleOf(operation: string): RoleDefinition {
  const found = roleCatalogue.find(
    (role) => role.livesIn === "production" && role.serves.includes(operation),
  );
  if (found !== undefined) return found;
  throw new GarrisonError("operation-unknown", `${operation} is not an operation: ${both.join(", ")}`);
}
