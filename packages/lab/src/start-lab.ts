import { systemClock, type Clock } from "@garrison/core/clock";
import { silentLogger, type Logger } from "@garrison/core/logger";
import { systemRandom, type Random } from "@garrison/core/random";
import { openMachineHost, type MachineHostOptions } from "./instances/host-machines.ts";
import { addRunRoutes } from "./instances/run-routes.ts";
import type { Lab } from "./lab.ts";
import { openLab } from "./open-lab.ts";
import { seedAwsManagedPolicies } from "./seed/aws-managed-policies.ts";
import { operatorKeys, seedDemo } from "./seed/demo-seed.ts";
import { allServices } from "./services/all-services.ts";
import type { Ec2Settings } from "./services/ec2/ec2-settings.ts";
import { openEc2 } from "./services/ec2/open-ec2.ts";
import { openHttpEndpoint } from "./wire/http-endpoint.ts";

export interface StartLabOptions {
  readonly dataDir: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Address to listen on (default 127.0.0.1). */
  readonly host?: string;
  readonly seed?: "demo" | "none";
  readonly region?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Milliseconds after which an IAM change takes effect (default 0). */
  readonly iamDelayMs?: number;
  /** Milliseconds after which CloudTrail tells of a call (default 0; AWS takes minutes). */
  readonly trailDelayMs?: number;
  readonly machines?: MachineHostOptions;
  /** Delays, quotas and limits of EC2 and EBS that differ from the defaults. */
  readonly ec2?: Partial<Ec2Settings>;
}

export interface OperatorKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface RunningLab {
  /** What `AWS_ENDPOINT_URL` is set to. */
  readonly endpoint: string;
  readonly lab: Lab;
  /** Administrator keys by account id. */
  readonly operators: Readonly<Record<string, OperatorKeys>>;
  stop(): Promise<void>;
}

/** Starts the lab in this process. It answers when the promise resolves. */
export async function startLab(options: StartLabOptions): Promise<RunningLab> {
  const host = options.host ?? "127.0.0.1";
  let endpoint = "";
  const { lab, close } = openLab({
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger: options.logger ?? silentLogger,
    settings: {
      region: options.region ?? "eu-central-1",
      partition: "aws",
      dataDir: options.dataDir,
      iamDelayMs: options.iamDelayMs ?? 0,
      trailDelayMs: options.trailDelayMs ?? 0,
    },
    endpoint: () => endpoint,
  });
  try {
    lab.machines = openMachineHost(lab, options.machines);
    lab.onStop(() => lab.machines.close());
    addRunRoutes(lab);
    seedAwsManagedPolicies(lab);
    if (options.seed === "demo") seedDemo(lab);
    await openEc2(lab, options.ec2);
    const http = await openHttpEndpoint(lab, { port: options.port ?? 0, host, services: allServices });
    endpoint = `http://${host}:${http.port}`;
    lab.onStop(() => http.close());
  } catch (error) {
    await close();
    throw error;
  }
  return { endpoint, lab, operators: operatorKeys(lab), stop: close };
}
