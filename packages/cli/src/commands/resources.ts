import { formatSize } from "@garrison/core/units";
import type { Command } from "commander";
import { connectAppliance, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { listAll } from "../appliance/list-all.ts";
import { printResult } from "../appliance/print-result.ts";
import type { CliContext } from "../cli-context.ts";
import { formatTable } from "../repository/format-points.ts";

interface ListFlags extends ConnectionFlags {
  readonly account?: string;
  readonly rescan?: true;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("resources")
    .description("what can be protected")
    .command("list")
    .description("list the instances that the last scan found")
    .option("--account <id>", "only of this account")
    .option("--rescan", "look again first")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((flags: ListFlags) => list(flags, context));
}

async function list(flags: ListFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const { signal } = context;
  const accountId = flags.account;
  if (flags.rescan === true) await api.call("rescanResources", { body: { accountId } }, signal);
  const items = await listAll((cursor) =>
    api.call("listResources", { query: { cursor, accountId } }, signal),
  );
  const text = () => {
    if (items.length === 0) return "No instances are known; --rescan looks again.\n";
    const rows = items.map(({ arn, name, state, instanceType, volumes }) => [
      name,
      state,
      instanceType,
      formatSize(volumes.reduce((total, volume) => total + volume.sizeBytes, 0)),
      arn,
    ]);
    return formatTable([["NAME", "STATE", "TYPE", "SIZE", "ARN"], ...rows]);
  };
  printResult(context, { json: flags.json, value: { items }, text });
}
