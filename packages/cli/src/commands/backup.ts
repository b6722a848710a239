import { Option, type Command } from "commander";
import { connectAppliance, newIdempotencyKey, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { followRun } from "../appliance/follow-run.ts";
import type { CliContext } from "../cli-context.ts";

interface BackupFlags extends ConnectionFlags {
  readonly resource: string;
  readonly repository?: string;
  readonly placement: "production" | "backup";
  readonly wait?: true;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("backup")
    .description("back up a resource now")
    .command("run")
    .description("start a backup")
    .requiredOption("--resource <arn>", "the instance")
    .option("--repository <name>", "where to (default: the only one there is)")
    .addOption(
      new Option("--placement <where>", "where the worker runs")
        .choices(["production", "backup"])
        .default("production"),
    )
    .option("--wait", "follow it to its end; exits 1 unless it succeeds")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((flags: BackupFlags) => backUp(flags, context));
}

async function backUp(flags: BackupFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const { resource, repository: repositoryId, placement, wait, json } = flags;
  const body = { kind: "backup" as const, resource, repositoryId, placement };
  const run = await api.call("createRun", { body, idempotencyKey: newIdempotencyKey() }, context.signal);
  await followRun(context, { api, run, wait, json });
}
