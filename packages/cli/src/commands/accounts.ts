import type { Command } from "commander";
import { connectAppliance, newIdempotencyKey, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { listAll } from "../appliance/list-all.ts";
import { printResult } from "../appliance/print-result.ts";
import type { CliContext } from "../cli-context.ts";
import { formatTable } from "../repository/format-points.ts";

interface AddFlags extends ConnectionFlags {
  readonly name: string;
  readonly region: string;
  readonly backupRole?: string;
  readonly restoreRole?: string;
  readonly workerRole?: string;
  readonly workerDeploymentRole?: string;
  readonly externalId?: string;
  readonly subnet?: string;
  readonly securityGroup?: readonly string[];
  readonly instanceType: string;
  readonly image?: string;
}

export function register(program: Command, context: CliContext): void {
  const accounts = program
    .command("accounts")
    .description("AWS accounts and the roles they are worked on with");
  accounts
    .command("add")
    .description("add an account")
    .argument("<account-id>", "12 digits")
    .requiredOption("--name <name>", "what you call it")
    .requiredOption("--region <region>", "where its resources are")
    .option("--backup-role <arn>", "reads and snapshots its instances")
    .option("--restore-role <arn>", "restores into it")
    .option("--worker-role <arn>", "is attached to workers that run in it")
    .option("--worker-deployment-role <arn>", "launches workers, in a backup account")
    .option("--external-id <id>", "that its roles ask for")
    .option("--subnet <id>", "for workers (default: the account's default subnet)")
    .option("--security-group <id...>", "for workers (default: the VPC's default group)")
    .option("--instance-type <type>", "of workers", "t3.medium")
    .option("--image <ami>", "of workers (default: the current Amazon Linux 2023)")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((id: string, flags: AddFlags) => add(id, flags, context));
  accounts
    .command("list")
    .description("list accounts")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((flags: ConnectionFlags) => list(flags, context));
}

async function add(id: string, flags: AddFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const body = {
    id,
    name: flags.name,
    region: flags.region,
    roles: {
      backup: flags.backupRole,
      restore: flags.restoreRole,
      worker: flags.workerRole,
      workerDeployment: flags.workerDeploymentRole,
    },
    externalId: flags.externalId,
    workerConfiguration: {
      subnetId: flags.subnet,
      securityGroupIds: flags.securityGroup === undefined ? undefined : [...flags.securityGroup],
      instanceType: flags.instanceType,
      imageId: flags.image,
    },
  };
  const idempotencyKey = newIdempotencyKey();
  const account = await api.call("createAccount", { body, idempotencyKey }, context.signal);
  printResult(context, {
    json: flags.json,
    value: account,
    text: () => `Added account ${id} as ${account.name}\n`,
  });
}

async function list(flags: ConnectionFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const items = await listAll((cursor) => api.call("listAccounts", { query: { cursor } }, context.signal));
  const text = () => {
    if (items.length === 0) return "No accounts are known; `garrison accounts add` adds one.\n";
    const rows = items.map(({ id, name, region, roles }) => [id, name, region, Object.keys(roles).join(" ")]);
    return formatTable([["ACCOUNT", "NAME", "REGION", "ROLES"], ...rows]);
  };
  printResult(context, { json: flags.json, value: { items }, text });
}
