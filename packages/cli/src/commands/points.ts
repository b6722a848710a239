import { formatSize } from "@garrison/core/units";
import type { Command } from "commander";
import { connectAppliance, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { listAll } from "../appliance/list-all.ts";
import { printResult } from "../appliance/print-result.ts";
import type { CliContext } from "../cli-context.ts";
import { formatTable } from "../repository/format-points.ts";

interface ListFlags extends ConnectionFlags {
  readonly resource?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("points")
    .description("restore points")
    .command("list")
    .description("list restore points, newest first")
    .option("--resource <arn>", "only of this resource")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((flags: ListFlags) => list(flags, context));
}

async function list(flags: ListFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const { resource } = flags;
  const items = await listAll((cursor) =>
    api.call("listPoints", { query: { cursor, resource } }, context.signal),
  );
  const text = () => {
    if (items.length === 0) return "There are no restore points.\n";
    const rows = items.map(({ id, name, createdAt, volumes, resource: of }) => [
      id,
      createdAt.slice(0, 19).replace("T", " "),
      name,
      formatSize(volumes.reduce((total, volume) => total + volume.sizeBytes, 0)),
      formatSize(volumes.reduce((total, volume) => total + volume.bytesStored, 0)),
      of,
    ]);
    return formatTable([["POINT", "MADE (UTC)", "NAME", "SIZE", "ADDED", "RESOURCE"], ...rows]);
  };
  printResult(context, { json: flags.json, value: { items }, text });
}
