import { systemClock } from "@garrison/core/clock";
import { describeError } from "@garrison/core/garrison-error";
import { jsonLogger } from "@garrison/core/logger";
import { systemRandom } from "@garrison/core/random";
import { waitForStop } from "@garrison/core/wait-for-stop";
import { readConfig } from "./config.ts";
import { startAppliance } from "./start-appliance.ts";

/**
 * The appliance as a program. Prints one line of JSON when it answers (with the token, the first time only), then logs to
 * standard error until SIGINT or SIGTERM.
 */
async function main(): Promise<void> {
  const logger = jsonLogger((line) => process.stderr.write(line), systemClock.now);
  const config = readConfig(process.argv.slice(2), process.env);
  const stop = waitForStop(process, config);
  await using appliance = await startAppliance({ clock: systemClock, random: systemRandom, logger }, config);
  const { url, installation, token, tokenFile } = appliance;
  const ready = {
    url,
    installation,
    dataDir: config.dataDir,
    tokenFile,
    ...(token.isNew ? { token: token.text } : {}),
  };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  await stop;
}

try {
  await main();
  // Runs that wait for the next start hold timers and sockets; nothing is lost by not waiting for them.
  process.exit(0);
} catch (error) {
  process.stderr.write(`garrison appliance: ${describeError(error)}\n`);
  process.exit(1);
}
