import type { Command } from "commander";
import { GarrisonError } from "@garrison/core/garrison-error";
import { findRole, roleCatalogue } from "@garrison/roles/role-catalogue";
import type { CliContext } from "../cli-context.ts";
import { checkAll } from "../roles/check-all.ts";
import { checkRole, type CheckFlags } from "../roles/check-role.ts";
import { createRoles, type CreateFlags } from "../roles/create-roles.ts";
import { registerCompare } from "../roles/compare-roles.ts";
import { registerDiff } from "../roles/diff-roles.ts";
import { registerExport } from "../roles/export-roles.ts";
import { addWritingOptions, registerRepair } from "../roles/register-repair.ts";
import { addRoleOptions } from "../roles/role-options.ts";
import { formatRole, formatRoleList } from "../roles/format-roles.ts";
import { registerProve } from "../roles/prove/prove-command.ts";

export function register(program: Command, context: CliContext): void {
  const roles = program
    .command("roles")
    .description("IAM roles: what Garrison needs and whether it is there");
  registerReading(roles, context);
  registerExport(roles, context);
  registerDiff(roles, context);
  registerCompare(roles, context);
  registerCheck(roles, context);
  registerCreate(roles, context);
  registerRepair(roles, context);
  registerProve(roles, context);
}

function registerReading(roles: Command, context: CliContext): void {
  roles
    .command("list")
    .description("the roles of the catalogue and the operations they serve")
    .option("--json", "print one object")
    .action((flags: { readonly json?: true }) => {
      context.stdout.write(
        flags.json === true
          ? `${JSON.stringify({ roles: roleCatalogue }, null, 2)}\n`
          : formatRoleList(roleCatalogue),
      );
    });
  roles
    .command("show")
    .description("one role: every right it asks for, where it is used, and why")
    .argument("<role>", "a role of the catalogue")
    .option("--json", "print one object")
    .action((id: string, flags: { readonly json?: true }) => {
      const role = findRole(id);
      context.stdout.write(flags.json === true ? `${JSON.stringify(role, null, 2)}\n` : formatRole(role));
    });
}

function registerCheck(roles: Command, context: CliContext): void {
  roles
    .command("check")
    .description("walk a role chain link by link, as the appliance; changes nothing")
    .argument("[arn]", "the launching role, or a worker, worker-deployment or repository role by itself")
    .option("--all", "check every role of every account instead, each by itself")
    .option(
      "--accounts <id-or-file...>",
      "with --all: account ids, or files of them (default: the appliance's)",
    )
    .option(
      "--role <id...>",
      "with --all: roles of the catalogue (default: all of the account that this release uses)",
    )
    .option("--data <dir>", "with --all: the appliance's folder")
    .option("--operation <id...>", "ec2.image-backup, ec2.instance-restore (default: what the role serves)")
    .option("--placement <where>", "where the worker runs: production or backup", "production")
    .option("--as <role>", "which role of the catalogue the ARN is (default: told by its name)")
    .option("--worker-role <arn>", "default: garrison-worker in the account the worker runs in")
    .option("--deployment-role <arn>", "who launches in the backup account, for --placement backup")
    .option("--repository-role <arn>", "check the repository's role too; needs --bucket")
    .option("--external-id <id>", "what the appliance presents")
    .option("--backup-external-id <id>", "for roles in the appliance's own account (default: the same)")
    .option("--region <region>", "default: AWS_REGION")
    .option("--installation <id>", "the installation's id (8 hex digits)")
    .option("--name <role=name...>", "names other than the catalogue's")
    .option("--pass-roles <arn...>", "roles that the restored instance will get")
    .option("--bucket <name>", "the repository's bucket")
    .option("--bucket-prefix <prefix>", "the repository's prefix in the bucket")
    .option("--staging-bucket <name...>", "buckets that hand workers their program")
    .option("--repository-key <arn...>", "KMS keys of these buckets")
    .option(
      "--operator-profile <profile...>",
      "AWS profiles with read rights on IAM and the organisation: name the statement that denies",
    )
    .option("--read-policies", "read IAM and the organisation with the current credentials too")
    .option(
      "--subnet <id>",
      "where workers are launched: with read rights, its VPC's endpoints are judged too",
    )
    .option("--least", "list what the roles can do beyond the catalogue, too; alarms make the check fail")
    .option("--format <format>", "table, json or junit", "table")
    .option("--junit <file>", "write the report as JUnit XML, too")
    .option("--json", "print one object, the same as --format json")
    .addHelpText(
      "after",
      "\nExit code: 0 the chain holds, 1 it is broken, 2 usage, 3 a link could not be known.",
    )
    .action((arn: string | undefined, flags: CheckFlags) => checkRoles(arn, flags, context));
}

function checkRoles(arn: string | undefined, flags: CheckFlags, context: CliContext): Promise<void> {
  if (flags.all === true && arn === undefined) return checkAll(flags, context);
  if (flags.all !== true && arn !== undefined) return checkRole(arn, flags, context);
  throw new GarrisonError("usage", "give the ARN of one role, or --all");
}

function registerCreate(roles: Command, context: CliContext): void {
  const command = roles
    .command("create")
    .description(
      "write roles into IAM with your own current AWS credentials; shows the difference and asks first",
    )
    .argument("<role...>", "roles of the catalogue")
    .option(
      "--region <region>",
      "where their rights are tried (default: the first of --regions, AWS_REGION)",
    );
  addRoleOptions(addWritingOptions(command))
    .addHelpText(
      "after",
      "\nExit code: 0 the roles are right, 1 one is not or nothing was agreed to, 2 usage.",
    )
    .action((ids: readonly string[], flags: CreateFlags) => createRoles(ids, flags, context));
}
