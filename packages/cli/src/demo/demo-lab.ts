import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { GarrisonError } from "@garrison/core/garrison-error";
import { startProgram, type StartedProgram } from "../start-program.ts";
import { demoNames } from "./demo-names.ts";
import type { DiskImages } from "./build-disk-images.ts";

interface LabReady {
  readonly endpoint: string;
  readonly accounts: readonly {
    readonly accountId: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  }[];
}

/** The running lab with its operators, and the few questions that only a local AWS can be asked. */
export interface DemoLab extends AsyncDisposable {
  readonly endpoint: string;
  readonly program: StartedProgram<unknown>;
  /** What the account's administrator would have in a profile. */
  operatorEnvironment(accountId: string): Readonly<Record<string, string>>;
  operatorClients(accountId: string): AwsClients;
  /** The sparse file behind a volume. */
  volumeFile(volumeId: string, signal: AbortSignal): Promise<string>;
  /** Puts an instance with these disks into the production account. */
  seedInstance(images: DiskImages, signal: AbortSignal): Promise<void>;
}

export async function startDemoLab(
  options: {
    readonly dataDir: string;
    readonly port: number;
    readonly environment: Readonly<Record<string, string | undefined>>;
  },
  signal: AbortSignal,
): Promise<DemoLab> {
  const dataDir = join(options.dataDir, "lab");
  await mkdir(dataDir, { recursive: true });
  const program = await startProgram<LabReady>(
    {
      name: "lab",
      entry: new URL("../../../lab/src/main.ts", import.meta.url),
      args: [
        "--port",
        String(options.port),
        "--data",
        dataDir,
        "--seed",
        "demo",
        "--region",
        demoNames.region,
      ],
      environment: options.environment,
      logFile: join(options.dataDir, "lab.log"),
      readyTimeoutMs: 300_000,
      endsWithParent: true,
    },
    signal,
  );
  const { endpoint, accounts } = program.ready;
  const keysOf = (accountId: string) => {
    const keys = accounts.find((account) => account.accountId === accountId);
    if (keys === undefined) throw new GarrisonError("usage", `the lab has no account ${accountId}`);
    return keys;
  };
  return {
    endpoint,
    program,
    operatorEnvironment: (accountId) => ({
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: demoNames.region,
      AWS_ACCESS_KEY_ID: keysOf(accountId).accessKeyId,
      AWS_SECRET_ACCESS_KEY: keysOf(accountId).secretAccessKey,
    }),
    operatorClients: (accountId) =>
      openAwsClients({
        region: demoNames.region,
        endpoint,
        credentials: async () => ({ ...keysOf(accountId) }),
      }),
    volumeFile: async (volumeId, call) => {
      const { path } = (await askLab(endpoint, { path: `volumes/${volumeId}` }, call)) as { path: string };
      return path;
    },
    seedInstance: async (images, call) => {
      await askLab(endpoint, { path: "seed/instance", body: instanceSeed(images) }, call);
    },
    [Symbol.asyncDispose]: () => program.stop(),
  };
}

function instanceSeed(images: DiskImages): object {
  return {
    accountId: demoNames.productionAccount,
    name: demoNames.instance,
    volumes: [
      { deviceName: demoNames.rootDevice, imageFile: images.rootFile, fileSystem: "ext4" },
      { deviceName: demoNames.dataDevice, imageFile: images.dataFile, fileSystem: "btrfs" },
    ],
  };
}

async function askLab(
  endpoint: string,
  ask: { readonly path: string; readonly body?: object },
  signal: AbortSignal,
): Promise<unknown> {
  const init =
    ask.body === undefined
      ? {}
      : { method: "POST", body: JSON.stringify(ask.body), headers: { "content-type": "application/json" } };
  const response = await fetch(`${endpoint}/_lab/${ask.path}`, { ...init, signal });
  if (!response.ok) {
    throw new GarrisonError(
      "program-failed",
      `the lab answered ${response.status} for ${ask.path}: ${await response.text()}`,
    );
  }
  return response.json();
}
