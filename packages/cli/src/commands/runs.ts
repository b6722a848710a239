import type { RunStatus } from "@garrison/api/schemas/runs";
import { runStatusSchema } from "@garrison/api/schemas/runs";
import { Option, type Command } from "commander";
import { connectAppliance, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { describeRun, formatRuns } from "../appliance/describe-run.ts";
import { followRun } from "../appliance/follow-run.ts";
import { printResult } from "../appliance/print-result.ts";
import type { CliContext } from "../cli-context.ts";

interface ListFlags extends ConnectionFlags {
  readonly status?: RunStatus;
  readonly limit: string;
}

interface ShowFlags extends ConnectionFlags {
  readonly wait?: true;
}

export function register(program: Command, context: CliContext): void {
  const runs = program.command("runs").description("backups and restores: what they did, step by step");
  runs
    .command("list")
    .description("list runs, newest first")
    .addOption(new Option("--status <status>", "only these").choices(runStatusSchema.options))
    .option("--limit <count>", "at most so many", "50")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((flags: ListFlags) => list(flags, context));
  runs
    .command("show")
    .description("show a run with its steps")
    .argument("<run>")
    .option("--wait", "follow it to its end; exits 1 unless it succeeds")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((id: string, flags: ShowFlags) => show(id, flags, context));
  runs
    .command("cancel")
    .description("stop a run and undo what it made")
    .argument("<run>")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((id: string, flags: ConnectionFlags) => cancel(id, flags, context));
}

async function list(flags: ListFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const page = await api.call(
    "listRuns",
    { query: { status: flags.status, limit: flags.limit } },
    context.signal,
  );
  printResult(context, { json: flags.json, value: page, text: () => formatRuns(page.items) });
}

async function show(id: string, flags: ShowFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const run = await api.call("readRun", { params: { runId: id } }, context.signal);
  if (flags.wait === true) return followRun(context, { api, run, wait: true, json: flags.json });
  printResult(context, { json: flags.json, value: run, text: () => describeRun(run) });
}

async function cancel(id: string, flags: ConnectionFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const run = await api.call("cancelRun", { params: { runId: id } }, context.signal);
  const text = () => `${id} is being stopped; what it made is removed. See: garrison runs show ${id}\n`;
  printResult(context, { json: flags.json, value: run, text });
}
