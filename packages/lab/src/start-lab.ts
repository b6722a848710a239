import { systemClock, type Clock } from "@garrison/core/clock";
import { silentLogger, type Logger } from "@garrison/core/logger";
import { systemRandom, type Random } from "@garrison/core/random";
import { join } from "node:path";
import { openIdentityTables } from "./identity/identity-tables.ts";
import type { Lab } from "./lab.ts";
import { openState } from "./state/open-state.ts";

export interface StartLabOptions {
  readonly dataDir: string;
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly seed?: "demo" | "none";
  readonly region?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  /** Milliseconds after which an IAM change takes effect (default 0). */
  readonly iamDelayMs?: number;
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
  const closers: (() => Promise<void> | void)[] = [];
  const stopping = new AbortController();
  const state = openState(join(options.dataDir, "state.jsonl"));
  const lab: Lab = {
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger: options.logger ?? silentLogger,
    settings: {
      region: options.region ?? "eu-central-1",
      partition: "aws",
      dataDir: options.dataDir,
      iamDelayMs: options.iamDelayMs ?? 0,
    },
    state,
    identity: openIdentityTables(state),
    endpoint: () => "",
    machines: undefined as never,
    adminRoutes: new Map(),
    onStop: (close) => void closers.push(close),
    stopping: stopping.signal,
  };
  return {
    endpoint: lab.endpoint(),
    lab,
    operators: {},
    async stop() {
      stopping.abort();
      for (const close of closers.reverse()) await close();
      state.close();
    },
  };
}
