import type { Command } from "commander";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { ExportOptions } from "@garrison/roles/export-role";
import { findRole } from "@garrison/roles/role-catalogue";
import type { RoleId } from "@garrison/roles/role-definition";

/** The options that `export` and `create` share, as commander gives them. */
export interface RoleFlags {
  readonly form: string;
  readonly withWorkersInProduction?: true;
  readonly placement?: string;
  readonly partition?: string;
  readonly backupAccount?: string;
  readonly productionAccount?: string;
  readonly externalId?: string;
  readonly appliance?: string;
  readonly operator?: readonly string[];
  readonly regions?: readonly string[];
  readonly installation?: string;
  readonly name?: readonly string[];
  readonly passRoles?: readonly string[];
  readonly bucket?: string;
  readonly bucketPrefix?: string;
  readonly stagingBucket?: readonly string[];
  readonly repositoryKey?: readonly string[];
  readonly managementAccount?: string;
  readonly withPlanned?: true;
  readonly databaseSecret?: readonly string[];
  readonly backupVault?: readonly string[];
}

export function addRoleOptions(command: Command): Command {
  return command
    .option("--form <form>", "scoped (resources and conditions) or compatible (every resource)", "scoped")
    .option("--with-workers-in-production", "let backup and restore roles launch workers in their account")
    .option("--placement <where>", "the account the worker role is for: production or backup", "production")
    .option("--backup-account <id>", "the account that the appliance lives in")
    .option("--production-account <id>", "the account that holds the data")
    .option("--management-account <id>", "the organisation's management account")
    .option("--external-id <id>", "what the appliance has to present; it shows it with the account")
    .option(
      "--appliance <arn>",
      "the appliance's role or user (default: garrison-appliance in the backup account)",
    )
    .option("--operator <arn...>", "users or roles that may run the appliance outside EC2 (default: nobody)")
    .option("--regions <region...>", "limit the rights to these Regions")
    .option("--installation <id>", "limit the rights to one installation (8 hex digits)")
    .option("--name <role=name...>", "names other than the catalogue's, as worker=my-worker")
    .option("--pass-roles <arn...>", "roles that a restored instance may get (default: none)")
    .option("--bucket <name>", "the repository's bucket")
    .option("--bucket-prefix <prefix>", "the repository's prefix in the bucket")
    .option("--staging-bucket <name...>", "buckets that hand workers their program")
    .option("--repository-key <arn...>", "KMS keys of these buckets")
    .option("--database-secret <arn...>", "secrets that hold database logins (default: none)")
    .option("--backup-vault <name...>", "AWS Backup vaults for file systems (default: Default)")
    .option("--with-planned", "also the rights of operations that no code of this release does yet")
    .option("--partition <partition>", "aws, aws-cn, aws-us-gov, aws-eusc", "aws");
}

/** Checks what people may get wrong and names it; absent flags stay absent. */
export function exportOptions(flags: RoleFlags): ExportOptions {
  const optional = {
    regions: flags.regions,
    installation: flags.installation,
    externalId: flags.externalId,
    applianceArn: flags.appliance,
    operatorArns: flags.operator,
    passRoles: flags.passRoles,
    bucket: flags.bucket,
    bucketPrefix: flags.bucketPrefix,
    stagingBuckets: flags.stagingBucket,
    repositoryKeyArns: flags.repositoryKey,
    databaseSecretArns: flags.databaseSecret,
    backupVaults: flags.backupVault,
    withPlanned: flags.withPlanned,
  };
  const present = Object.entries(optional).filter(([, value]) => value !== undefined);
  return {
    form: oneOf(flags.form, ["scoped", "compatible"], "--form"),
    placement: oneOf(flags.placement ?? "production", ["production", "backup"], "--placement"),
    withWorkersInProduction: flags.withWorkersInProduction === true,
    partition: flags.partition ?? "aws",
    accounts: {
      ...(flags.backupAccount === undefined ? {} : { backup: account(flags.backupAccount) }),
      ...(flags.productionAccount === undefined ? {} : { production: account(flags.productionAccount) }),
      ...(flags.managementAccount === undefined ? {} : { management: account(flags.managementAccount) }),
    },
    names: roleNames(flags.name ?? []),
    ...Object.fromEntries(present),
  };
}

export function oneOf<const Choice extends string>(
  given: string,
  choices: readonly Choice[],
  flag: string,
): Choice {
  const found = choices.find((choice) => choice === given);
  if (found !== undefined) return found;
  throw new GarrisonError("usage", `${flag} is ${given}; it takes ${choices.join(" or ")}`);
}

export function roleNames(given: readonly string[]): Readonly<Partial<Record<RoleId, string>>> {
  const entries = given.map((text) => {
    const [id = "", name = ""] = text.split("=");
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) throw new GarrisonError("usage", `--name ${text}: write ROLE=NAME`);
    return [findRole(id).id, name] as const;
  });
  return Object.fromEntries(entries);
}

function account(id: string): string {
  if (/^\d{12}$/.test(id)) return id;
  throw new GarrisonError("usage", `${id} is not an account id (12 digits)`);
}
