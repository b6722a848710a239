import { once } from "node:events";
import { join, resolve } from "node:path";
import { GarrisonError } from "@garrison/core/garrison-error";
import { minuteMs } from "@garrison/core/units";
import type { Command } from "commander";
import { defaultDataFolder } from "../appliance/connect-appliance.ts";
import type { CliContext } from "../cli-context.ts";
import { makeFolder } from "../make-folder.ts";
import { portOf } from "../port-of.ts";
import { startProgram } from "../start-program.ts";

interface ServeFlags {
  readonly database?: string;
  readonly port: string;
  readonly host: string;
  readonly data?: string;
  readonly bundle?: string;
  readonly json?: true;
}

interface ApplianceReady {
  readonly url: string;
  readonly installation: string;
  readonly tokenFile: string;
  /** The first time only. */
  readonly token?: string;
}

export function register(program: Command, context: CliContext): void {
  program
    .command("serve")
    .description("the appliance: API, durable runs and sweeper; runs until Ctrl-C")
    .option("--database <url>", "postgresql://... (default: an embedded database in the data folder)")
    .option("--port <port>", "port to listen on, 0 for any", "8080")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option(
      "--data <dir>",
      "folder with its database, key and token (default: GARRISON_DATA, then ~/.garrison)",
    )
    .option("--bundle <file>", "the workers' program (default: GARRISON_WORKER_BUNDLE, else it is built)")
    .option("--json", "print one JSON object when it answers")
    .action((flags: ServeFlags) => serve(flags, context));
}

async function serve(flags: ServeFlags, context: CliContext): Promise<void> {
  const { environment } = context;
  const port = portOf(flags.port);
  const dataDir = resolve(flags.data ?? environment["GARRISON_DATA"] ?? defaultDataFolder(context));
  await makeFolder(dataDir);
  const bundle =
    flags.bundle ?? environment["GARRISON_WORKER_BUNDLE"] ?? (await buildBundle(dataDir, context));
  const database = flags.database === undefined ? [] : ["--database", flags.database];
  const listen = ["--port", port, "--host", flags.host];
  const logFile = join(dataDir, "appliance.log");
  await using appliance = await startProgram<ApplianceReady>(
    {
      name: "appliance",
      entry: new URL("../../../appliance/src/main.ts", import.meta.url),
      args: ["--data", dataDir, "--bundle", bundle, ...listen, ...database],
      environment,
      logFile,
      readyTimeoutMs: minuteMs,
      endsWithParent: true,
    },
    context.signal,
  );
  context.stdout.write(flags.json ? `${JSON.stringify(appliance.ready)}\n` : describe(appliance.ready));
  const exit = once(appliance.process, "exit");
  const stop = context.signal.aborted ? Promise.resolve() : once(context.signal, "abort");
  const ended = await Promise.race([exit, stop.then(() => undefined)]);
  if (ended !== undefined && !context.signal.aborted) {
    throw new GarrisonError("program-failed", `the appliance ended with ${String(ended[0])}; see ${logFile}`);
  }
}

async function buildBundle(dataDir: string, context: CliContext): Promise<string> {
  await using build = await startProgram<{ readonly path: string }>(
    {
      name: "build of the workers' program",
      entry: new URL("../../../worker/src/bundle-main.ts", import.meta.url),
      args: [join(dataDir, "bundle")],
      environment: context.environment,
      logFile: join(dataDir, "bundle.log"),
      readyTimeoutMs: 5 * minuteMs,
    },
    context.signal,
  );
  return build.ready.path;
}

function describe({ url, installation, tokenFile, token }: ApplianceReady): string {
  const lines = [`The appliance answers at ${url} (installation ${installation}). Stop it with Ctrl-C.`];
  if (token !== undefined) lines.push(`Its token, shown this once: ${token}`);
  lines.push(`Its token is kept in ${tokenFile}`);
  return `${lines.join("\n")}\n`;
}
