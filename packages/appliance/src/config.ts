import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { GarrisonError } from "@garrison/core/garrison-error";
import { readRunLimits } from "./read-run-limits.ts";
import type { RunLimits } from "./runs/run-dependencies.ts";

export interface ApplianceConfig {
  /** Everything the appliance keeps on this machine: database, key, token. */
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly databaseUrl?: string;
  readonly region: string;
  /** `AWS_ENDPOINT_URL`: for an AWS-compatible service. */
  readonly endpoint?: string;
  readonly applianceRoleArn?: string;
  readonly bundlePath?: string;
  /** How often leftovers are looked for. */
  readonly sweepEveryMs: number;
  /** How often the roles of all accounts are checked besides before runs. */
  readonly driftEveryMs: number;
  /** Where a run's patience differs from the defaults. */
  readonly runLimits?: Partial<RunLimits>;
  /** Whether to stop when standard input closes: the program that started this one is gone. */
  readonly untilStdinEnds: boolean;
}

const defaultPort = 8080;
const defaultSweepMs = 5 * 60_000;
const defaultDriftMs = 24 * 3_600_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line and the environment say; the command line wins. Throws `configuration-invalid`. */
export function readConfig(argv: readonly string[], environment: Environment): ApplianceConfig {
  const given = parseOptions(argv);
  const databaseUrl = given.database ?? environment["DATABASE_URL"];
  return {
    dataDir: resolve(
      given.data ?? environment["GARRISON_DATA"] ?? join(environment["HOME"] ?? ".", ".garrison"),
    ),
    host: given.host ?? environment["GARRISON_HOST"] ?? "127.0.0.1",
    port: wholeNumber(given.port ?? environment["GARRISON_PORT"] ?? String(defaultPort), "the port"),
    region: environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? "us-east-1",
    sweepEveryMs: wholeNumber(
      environment["GARRISON_SWEEP_MS"] ?? String(defaultSweepMs),
      "GARRISON_SWEEP_MS",
    ),
    driftEveryMs: wholeNumber(
      environment["GARRISON_DRIFT_MS"] ?? String(defaultDriftMs),
      "GARRISON_DRIFT_MS",
    ),
    untilStdinEnds: given["until-stdin-ends"] === true,
    ...optional("databaseUrl", databaseUrl),
    ...optional("endpoint", environment["AWS_ENDPOINT_URL"]),
    ...optional("applianceRoleArn", environment["GARRISON_APPLIANCE_ROLE_ARN"]),
    ...runLimits(environment["GARRISON_RUN_LIMITS"]),
    ...optional("bundlePath", given.bundle ?? environment["GARRISON_WORKER_BUNDLE"]),
  };
}

function parseOptions(argv: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    const options = {
      data: text,
      port: text,
      host: text,
      database: text,
      bundle: text,
      "until-stdin-ends": { type: "boolean" } as const,
    };
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (error) {
    throw new GarrisonError("configuration-invalid", "the command line of the appliance", { cause: error });
  }
}

function wholeNumber(text: string, name: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new GarrisonError("configuration-invalid", `${name} is ${text}, not a whole number`);
}

function runLimits(text: string | undefined): Pick<ApplianceConfig, "runLimits"> {
  return text === undefined || text === "" ? {} : { runLimits: readRunLimits(text) };
}

function optional<Name extends string>(
  name: Name,
  value: string | undefined,
): { readonly [Key in Name]?: string } {
  return value === undefined || value === ""
    ? {}
    : ({ [name]: value } as { readonly [Key in Name]?: string });
}
