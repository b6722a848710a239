import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@garrison/core/clock";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Logger } from "@garrison/core/logger";
import type { Random } from "@garrison/core/random";
import { openAwsAccess } from "./access/aws-access.ts";
import { openRepositoryAccess } from "./access/repository-access.ts";
import { watchDrift } from "./app/watch-drift.ts";
import { openSweeper } from "./app/open-sweeper.ts";
import type { ApplianceConfig } from "./config.ts";
import { openDatabase } from "./store/database/open-database.ts";
import { openServer } from "./http/open-server.ts";
import { backUpInstance } from "./runs/back-up-instance.ts";
import { openDurableRuns } from "./runs/durable-runs.ts";
import { restoreInstance } from "./runs/restore-instance.ts";
import { testWorker } from "./runs/test-worker.ts";
import {
  defaultRunLimits,
  type RunDependencies,
  type RunLimits,
  type WorkerBundleFile,
} from "./runs/run-dependencies.ts";
import { loadOrCreateSecretFile, type SecretFile } from "./secrets/load-or-create-secret-file.ts";
import { openSecretBox } from "./secrets/secret-box.ts";
import { loadOrCreateSetting } from "./store/settings.ts";

export interface ApplianceDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface RunningAppliance extends AsyncDisposable {
  readonly url: string;
  readonly installation: string;
  readonly token: SecretFile;
  readonly tokenFile: string;
}

/** Starts the appliance in this process: it answers, and goes on with open runs, when the promise resolves. */
export async function startAppliance(
  { clock, random, logger }: ApplianceDependencies,
  config: ApplianceConfig,
  limits: Partial<RunLimits> = config.runLimits ?? {},
): Promise<RunningAppliance> {
  const { dataDir, region } = config;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const hex = (bytes: number) => Buffer.from(random.bytes(bytes)).toString("hex");
  const key = await loadOrCreateSecretFile(join(dataDir, "key"), () => hex(32));
  const tokenFile = join(dataDir, "token");
  const token = await loadOrCreateSecretFile(tokenFile, () => `garrison_${hex(24)}`);
  const stack = new AsyncDisposableStack();
  try {
    const database = stack.use(
      await openDatabase({
        folder: dataDir,
        logger,
        ...(config.databaseUrl === undefined ? {} : { url: config.databaseUrl }),
      }),
    );
    const { queries } = database;
    const installation = await loadOrCreateSetting(queries, "installation", () => hex(4));
    const access = stack.use(openAwsAccess({ ...awsOptions(config), clock, installation }));
    const secrets = openSecretBox(Buffer.from(key.text, "hex"), random);
    const dependencies: RunDependencies = {
      queries,
      secrets,
      clock,
      random,
      logger,
      access,
      repositories: openRepositoryAccess({ access, secrets, clock, random, region }),
      limits: { ...defaultRunLimits, ...limits },
      region,
      installation,
      ...(config.bundlePath === undefined ? {} : { bundle: await readBundle(config.bundlePath) }),
    };
    const bodies = {
      backup: backUpInstance,
      "instance-restore": restoreInstance,
      "worker-test": testWorker,
    };
    const durableRuns = stack.use(await openDurableRuns(dependencies, bodies, database.pool));
    const stopping = new AbortController();
    const driftWatch = watchDrift(dependencies, { everyMs: config.driftEveryMs, signal: stopping.signal });
    const sweeper = openSweeper(dependencies, { everyMs: config.sweepEveryMs, signal: stopping.signal });
    stack.defer(async () => {
      stopping.abort();
      await Promise.all([sweeper.ended, driftWatch]);
    });
    const app = { ...dependencies, durableRuns, sweeper };
    const { host, port } = config;
    const server = stack.use(await openServer(app, { host, port, token: token.text }));
    // With the token beside it, all that the command line on this machine has to know.
    await writeFile(join(dataDir, "url"), `${server.url}\n`);
    const running = stack.move();
    return {
      url: server.url,
      installation,
      token,
      tokenFile,
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function awsOptions({ region, endpoint, applianceRoleArn }: ApplianceConfig) {
  return {
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(applianceRoleArn === undefined ? {} : { applianceRoleArn }),
  };
}

async function readBundle(path: string): Promise<WorkerBundleFile> {
  const hash = createHash("sha256");
  try {
    for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer);
  } catch (error) {
    throw new GarrisonError("configuration-invalid", `reading the worker bundle ${path}`, { cause: error });
  }
  return { path, sha256: hash.digest("hex") };
}
