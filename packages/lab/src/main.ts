import { errorTable } from "@garrison/core/error-table";
import { describeError, isGarrisonError } from "@garrison/core/garrison-error";
import { jsonLogger } from "@garrison/core/logger";
import { systemClock } from "@garrison/core/clock";
import { resolve } from "node:path";
import { readConfig, type LabConfig } from "./config.ts";
import { startLab } from "./start-lab.ts";

/** The lab as a program: prints one JSON line when it answers, logs to stderr, ends on SIGTERM or SIGINT. */
async function main(argv: readonly string[]): Promise<void> {
  const config = readConfig(argv);
  const logger = jsonLogger((line) => process.stderr.write(line), systemClock.now);
  const running = await startLab({ ...config, dataDir: resolve(config.dataDir), logger });
  process.stdout.write(`${JSON.stringify(describe(running, config))}\n`);
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (isStopping) return;
      isStopping = true;
      void running.stop().then(() => process.exit(0));
    });
  }
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
  process.exitCode = isGarrisonError(error) ? errorTable[error.code].exitCode : 1;
});
