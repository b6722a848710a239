import type { ApiClient } from "@garrison/api/client";
import type { RunWithSteps } from "@garrison/api/schemas/runs";
import { isGarrisonError } from "@garrison/core/garrison-error";
import type { Command } from "commander";
import { connectAppliance, newIdempotencyKey, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { printResult } from "../appliance/print-result.ts";
import { watchToEnd } from "../appliance/watch-to-end.ts";
import { checkNetwork } from "../appliance/check-network.ts";
import { formatNetwork } from "../appliance/format-network.ts";
import { workerTestOf } from "../appliance/worker-test-of.ts";
import { formatWorkerTest } from "../appliance/format-worker-test.ts";
import type { CliContext } from "../cli-context.ts";

interface TestFlags extends ConnectionFlags {
  readonly account: string;
  readonly region: string;
  readonly subnet?: string;
  readonly repository?: string;
  readonly operatorProfile?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("workers")
    .description("the instances that copy data")
    .command("test")
    .description("launch a worker, prove each thing it needs, and remove everything again")
    .requiredOption("--account <id>", "where it runs")
    .requiredOption("--region <name>", "the AWS Region")
    .option("--subnet <id>", "default: the account's configured one, else AWS's choice")
    .option("--repository <name>", "whose bucket it has to reach (default: the only one there is)")
    .option(
      "--operator-profile <name>",
      "first read the subnet's network with this profile of yours, and launch nothing when it lacks something",
    )
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((flags: TestFlags) => test(flags, context));
}

async function test(flags: TestFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const { account: accountId, region, subnet: subnetId, repository: repositoryId } = flags;
  const network = await checkNetwork(api, flags, context);
  if (network.some(({ verdict }) => verdict === "failed")) {
    printResult(context, {
      json: flags.json,
      value: { verdict: "failed", network, checks: [], removed: [], left: [] },
      text: () => `${formatNetwork(network)}No worker was launched: mend the network first.\n`,
    });
    return context.setExitCode(1);
  }
  const body = { kind: "worker-test" as const, accountId, region, subnetId, repositoryId };
  const run = await api.call("createRun", { body, idempotencyKey: newIdempotencyKey() }, context.signal);
  const ended = await conduct(api, run.id, context);
  const value = { ...workerTestOf(ended), network };
  const text = () => formatNetwork(network) + formatWorkerTest(value);
  printResult(context, { json: flags.json, value, text });
  context.setExitCode(value.verdict === "passed" ? 0 : value.verdict === "unknown" ? 3 : 1);
}

/** Who interrupts the test wants nothing left of it: the run is stopped and followed until it has removed everything. */
async function conduct(api: ApiClient, runId: string, context: CliContext): Promise<RunWithSteps> {
  try {
    return await watchToEnd(api, runId, context);
  } catch (error) {
    if (!context.signal.aborted) throw error;
    context.stderr.write(
      `Stopping ${runId} and removing what it made; interrupt again to leave that to the appliance.\n`,
    );
    const { signal } = new AbortController();
    await api.call("cancelRun", { params: { runId } }, signal).catch((failure: unknown) => {
      if (!isGarrisonError(failure, "run-ended")) throw failure;
    });
    return watchToEnd(api, runId, { stderr: context.stderr, signal });
  }
}
