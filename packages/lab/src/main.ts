import { errorTable } from "@garrison/core/error-table";
import { describeError, isGarrisonError } from "@garrison/core/garrison-error";
import { jsonLogger } from "@garrison/core/logger";
import { systemClock } from "@garrison/core/clock";
import { waitForStop } from "@garrison/core/wait-for-stop";
import { resolve } from "node:path";
import { readConfig, type LabConfig } from "./config.ts";
import { startLab } from "./start-lab.ts";

/** The lab as a program: prints one JSON line when it answers, logs to stderr, ends on SIGTERM or SIGINT (or with the program that started it). */
async function main(argv: readonly string[]): Promise<void> {
  const config = readConfig(argv);
  const logger = jsonLogger((line) => process.stderr.write(line), systemClock.now);
  const stop = waitForStop(process, config);
  const running = await startLab({ ...config, dataDir: resolve(config.dataDir), logger });
  process.stdout.write(`${JSON.stringify(describe(running, config))}\n`);
  await stop;
  await running.stop();
  process.exit(0);
}

function describe(
  { endpoint, lab, operators }: Awaited<ReturnType<typeof startLab>>,
  { region }: LabConfig,
): object {
  const accounts = [...lab.identity.accounts.values()].map(({ accountId, name }) => ({
    accountId,
    name,
    ...operators[accountId],
  }));
  return { endpoint, region, accounts };
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`lab: ${describeError(error)}\n`);
  // An open standard input would keep a lab that failed alive.
  process.exit(isGarrisonError(error) ? errorTable[error.code].exitCode : 1);
});
