import { Option, type Command } from "commander";
import { connectAppliance, newIdempotencyKey, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { followRun } from "../appliance/follow-run.ts";
import type { CliContext } from "../cli-context.ts";

interface RestoreFlags extends ConnectionFlags {
  readonly placement: "production" | "backup";
  readonly account?: string;
  readonly name?: string;
  readonly instanceType?: string;
  readonly subnet?: string;
  readonly securityGroup?: readonly string[];
  readonly keyPair?: string;
  readonly instanceProfile?: string;
  readonly wait?: true;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("restore")
    .description("restore from a restore point")
    .command("instance")
    .description("restore an instance to a new place; the original is not touched")
    .argument("<point>", "see garrison points list")
    .option("--account <id>", "restore into this account (default: where it was)")
    .option("--name <name>", "its Name tag")
    .option("--instance-type <type>", "instead of the recorded one")
    .option("--subnet <id>", "instead of the recorded one")
    .option("--security-group <id...>", "instead of the recorded ones")
    .option("--key-pair <name>", "instead of the recorded one")
    .option("--instance-profile <name>", "give it this profile (default: none)")
    .addOption(
      new Option("--placement <where>", "where the worker runs")
        .choices(["production", "backup"])
        .default("production"),
    )
    .option("--wait", "follow it to its end; exits 1 unless it succeeds")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((point: string, flags: RestoreFlags) => restore(point, flags, context));
}

async function restore(point: string, flags: RestoreFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const body = {
    kind: "instance-restore" as const,
    point,
    placement: flags.placement,
    accountId: flags.account,
    name: flags.name,
    instanceType: flags.instanceType,
    subnetId: flags.subnet,
    securityGroupIds: flags.securityGroup === undefined ? undefined : [...flags.securityGroup],
    keyName: flags.keyPair,
    instanceProfile: flags.instanceProfile,
  };
  const run = await api.call("createRun", { body, idempotencyKey: newIdempotencyKey() }, context.signal);
  await followRun(context, { api, run, wait: flags.wait, json: flags.json });
}
