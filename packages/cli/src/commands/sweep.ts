import type { SweepPlan, SweepResult } from "@garrison/api/schemas/sweep";
import type { Command } from "commander";
import { connectAppliance, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { printResult } from "../appliance/print-result.ts";
import type { CliContext } from "../cli-context.ts";
import { formatTable } from "../repository/format-points.ts";

interface SweepFlags extends ConnectionFlags {
  readonly plan?: true;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("sweep")
    .description(
      "remove what ended runs left in the accounts; foreign things that carry our tags are only named",
    )
    .option("--plan", "show what would be removed, and remove nothing")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((flags: SweepFlags) => sweep(flags, context));
}

async function sweep(flags: SweepFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  if (flags.plan === true) {
    const plan = await api.call("planSweep", {}, context.signal);
    return printResult(context, { json: flags.json, value: plan, text: () => describePlan(plan) });
  }
  const result = await api.call("executeSweep", {}, context.signal);
  printResult(context, { json: flags.json, value: result, text: () => describeResult(result) });
  if (result.failed.length > 0) context.setExitCode(1);
}

type Item = SweepPlan["remove"][number];

function describePlan(plan: SweepPlan): string {
  return section("would remove", plan.remove) + describeRest(plan);
}

function describeResult(result: SweepResult): string {
  const failed = result.failed.map(({ resourceId, message }) => `failed: ${resourceId}: ${message}\n`);
  return section("removed", result.removed) + failed.join("") + describeRest(result);
}

function describeRest({ foreign, unreachable }: SweepPlan): string {
  const closed = unreachable.map(({ accountId, message }) => `not looked into: ${accountId}: ${message}\n`);
  return (foreign.length === 0 ? "" : section("left alone, not ours", foreign)) + closed.join("");
}

function section(title: string, items: readonly Item[]): string {
  if (items.length === 0) return `${title}: nothing\n`;
  const rows = items.map(({ kind, accountId, resourceId, why }) => [kind, accountId, resourceId, why]);
  return `${title}:\n${formatTable([["KIND", "ACCOUNT", "RESOURCE", "WHY"], ...rows])}`;
}
