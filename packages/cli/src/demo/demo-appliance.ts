import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { minuteMs } from "@garrison/core/units";
import { startProgram, type StartedProgram } from "../start-program.ts";
import type { DemoLab } from "./demo-lab.ts";
import { demoNames, roleArn } from "./demo-names.ts";

export interface DemoBundle {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Builds the workers' program as it would run on Amazon Linux, or finds it built. */
export async function buildDemoBundle(
  { dataDir, partsDir }: { readonly dataDir: string; readonly partsDir: string },
  signal: AbortSignal,
): Promise<DemoBundle> {
  await using build = await startProgram<DemoBundle>(
    {
      name: "build of the workers' program",
      entry: new URL("../../../worker/src/bundle-main.ts", import.meta.url),
      args: [join(partsDir, "bundle")],
      environment: {},
      logFile: join(dataDir, "bundle.log"),
      readyTimeoutMs: 5 * minuteMs,
    },
    signal,
  );
  return build.ready;
}

export interface ApplianceReady {
  readonly url: string;
  readonly installation: string;
  readonly token: string;
}

export interface DemoApplianceOptions {
  readonly dataDir: string;
  readonly appliancePort: number;
  readonly lab: DemoLab;
  readonly bundle: DemoBundle;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Starts the appliance with what the operator of the backup account has in the environment; its role is what it acts as. */
export async function startDemoAppliance(
  options: DemoApplianceOptions,
  signal: AbortSignal,
): Promise<StartedProgram<ApplianceReady>> {
  const { dataDir, lab, bundle, environment } = options;
  const folder = join(dataDir, "appliance");
  const started = await startProgram<Omit<ApplianceReady, "token">>(
    {
      name: "appliance",
      entry: new URL("../../../appliance/src/main.ts", import.meta.url),
      args: ["--data", folder, "--port", String(options.appliancePort), "--bundle", bundle.path],
      environment: {
        ...environment,
        ...lab.operatorEnvironment(demoNames.backupAccount),
        GARRISON_APPLIANCE_ROLE_ARN: roleArn(demoNames.backupAccount, "garrison-appliance"),
      },
      logFile: join(dataDir, "appliance.log"),
      readyTimeoutMs: 5 * minuteMs,
      endsWithParent: true,
    },
    signal,
  );
  const token = (await readFile(join(folder, "token"), "utf8")).trim();
  return { ...started, ready: { ...started.ready, token } };
}
