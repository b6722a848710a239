import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openAwsClients } from "@garrison/aws/aws-clients";
import { openBlockPace } from "@garrison/aws/ebs/block-pace";
import { findQueues } from "@garrison/aws/find-queues";
import { openSqsTransport } from "@garrison/aws/sqs-transport";
import { workerSide } from "@garrison/channel/channel-options";
import { loadOrCreateChannel } from "@garrison/channel/channel-store";
import { fileChannelStore } from "@garrison/channel/file-channel-store";
import { openChannel } from "@garrison/channel/open-channel";
import { publicKeysOf } from "@garrison/channel/peer-identity";
import { formatAnnouncement } from "@garrison/channel/worker-announcement";
import { workerConfigSchema, type WorkerConfig } from "@garrison/channel/worker-config";
import { systemClock } from "@garrison/core/clock";
import { describeError, GarrisonError } from "@garrison/core/garrison-error";
import { jsonLogger } from "@garrison/core/logger";
import { systemRandom } from "@garrison/core/random";
import { probeCapabilities } from "./probe-capabilities.ts";
import { runWorker } from "./run-worker.ts";
import { taskRunner } from "./tasks/run-task.ts";
import { waitForQueues } from "./wait-for-queues.ts";

const logger = jsonLogger((line) => process.stdout.write(line), systemClock.now);
const dependencies = { clock: systemClock, random: systemRandom, logger };

/** `keygen <folder>`: makes the worker's keys unless they exist, and prints their public half. */
async function keygen(folder: string, signal: AbortSignal): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const config = await readConfig(folder);
  const store = fileChannelStore(join(folder, "channel.json"));
  const { identity } = await loadOrCreateChannel({ store, random: systemRandom }, { signal });
  process.stdout.write(`${formatAnnouncement(config.worker, publicKeysOf(identity))}\n`);
}

/** `run <folder>`: the worker's life. Returning means that the instance is no longer needed. */
async function run(folder: string, signal: AbortSignal): Promise<void> {
  const config = await readConfig(folder);
  const { installation, run, worker, region } = config;
  // No credentials here: the SDK takes the instance role's from the metadata service.
  const clients = openAwsClients({ region });
  const queues = await waitForQueues(
    { ...dependencies, findQueues: (prefix, call) => findQueues(clients, prefix, call) },
    config,
    { signal },
  );
  const tell = (sentence: string) =>
    void opening
      .then((channel) => channel.send({ type: "trouble", sentence: sentence.slice(0, 4_000) }))
      .catch(() => undefined);
  const opening = openChannel(
    {
      ...dependencies,
      transportIn: openSqsTransport(clients, queues.toWorker),
      transportOut: openSqsTransport(clients, queues.toAppliance),
      store: fileChannelStore(join(folder, "channel.json")),
    },
    {
      address: { installation, run, worker },
      side: workerSide,
      peer: config.appliance,
      onTrouble: tell,
    },
    { signal },
  );
  const channel = await opening;
  const blockPace = openBlockPace(systemClock, { perSecond: config.blockCallsPerSecond });
  const capabilities = { ...probeCapabilities(process.env["PATH"] ?? "") };
  const runTask = taskRunner({ ...dependencies, blockPace });
  await runWorker({ ...dependencies, channel, runTask }, { limits: config, capabilities }, { signal });
  clients.close();
}

async function readConfig(folder: string): Promise<WorkerConfig> {
  const path = join(folder, "worker.json");
  try {
    return workerConfigSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    throw new GarrisonError("worker-config-invalid", `${path} can't be read`, { cause: error });
  }
}

const commands: Readonly<Record<string, (folder: string, signal: AbortSignal) => Promise<void>>> = {
  keygen,
  run,
};

async function main([name = "", folder = ""]: readonly string[]): Promise<number> {
  const command = commands[name];
  if (command === undefined || folder === "") {
    process.stderr.write("usage: worker.mjs keygen|run <folder>\n");
    return 2;
  }
  const stopping = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => stopping.abort(new GarrisonError("aborted", `stopped by ${name}`)));
  }
  try {
    await command(folder, stopping.signal);
    return 0;
  } catch (error) {
    logger.error({ error: describeError(error) }, `worker ${name} failed`);
    return 1;
  }
}

// Exiting ends whatever a stuck task still holds open: nothing outlives the worker.
process.exit(await main(process.argv.slice(2)));
