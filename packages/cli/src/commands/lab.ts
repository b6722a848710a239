import { once } from "node:events";
import { join, resolve } from "node:path";
import { GarrisonError } from "@garrison/core/garrison-error";
import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { makeFolder } from "../make-folder.ts";
import { portOf } from "../port-of.ts";
import { oneOf } from "../roles/role-options.ts";
import { startProgram } from "../start-program.ts";

interface StartOptions {
  readonly port: string;
  readonly host: string;
  readonly data: string;
  readonly seed: string;
  readonly region: string;
  readonly iamDelayMs: string;
  readonly json?: true;
}

/** What the lab says when it answers. */
interface LabReady {
  readonly endpoint: string;
  readonly region: string;
  readonly accounts: readonly LabAccount[];
}

interface LabAccount {
  readonly accountId: string;
  readonly name: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

export function register(program: Command, context: CliContext): void {
  const lab = program.command("lab").description("A local AWS that enforces IAM, for trying and testing");
  lab
    .command("start")
    .description("start it and keep it running until Ctrl-C; prints endpoint, accounts and credentials")
    .option("--port <port>", "port to listen on, 0 for any", "4566")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--data <dir>", "folder that keeps its state", ".garrison/lab")
    .option("--seed <seed>", "demo (three accounts in an organisation) or none", "demo")
    .option("--region <region>", "Region of what the seed makes", "eu-central-1")
    .option("--iam-delay-ms <ms>", "IAM changes take effect this much later", "0")
    .option("--json", "print one JSON object instead of text")
    .action((options: StartOptions) => startLab(options, context));
}

async function startLab(options: StartOptions, context: CliContext): Promise<void> {
  const port = portOf(options.port);
  oneOf(options.seed, ["demo", "none"], "--seed");
  const dataDir = resolve(options.data);
  await makeFolder(dataDir);
  const args = ["--port", port, "--host", options.host, "--data", dataDir, "--seed", options.seed];
  const started = await startProgram<LabReady>(
    {
      name: "lab",
      entry: new URL("../../../lab/src/main.ts", import.meta.url),
      args: [...args, "--region", options.region, "--iam-delay-ms", options.iamDelayMs],
      environment: context.environment,
      logFile: join(dataDir, "lab.log"),
      readyTimeoutMs: 30_000,
      endsWithParent: true,
    },
    context.signal,
  );
  await using lab = started;
  context.stdout.write(options.json ? `${JSON.stringify(lab.ready)}\n` : describeLab(lab.ready));
  const exit = once(lab.process, "exit");
  const stop = context.signal.aborted ? Promise.resolve() : once(context.signal, "abort");
  const ended = await Promise.race([exit, stop.then(() => undefined)]);
  if (ended !== undefined && !context.signal.aborted) {
    throw new GarrisonError(
      "program-failed",
      `the lab ended with ${String(ended[0])}; see ${join(dataDir, "lab.log")}`,
    );
  }
}

/** For people: what to set so that any AWS tool works against it. */
function describeLab({ endpoint, region, accounts }: LabReady): string {
  const lines = [`The lab answers at ${endpoint} (Region ${region}). Stop it with Ctrl-C.`, ""];
  for (const { accountId, name, accessKeyId, secretAccessKey } of accounts) {
    lines.push(`${accountId}  ${name}`);
    if (accessKeyId !== undefined) lines.push(`  ${accessKeyId}  ${secretAccessKey ?? ""}`);
  }
  const first = accounts.find(({ name }) => name === "production") ?? accounts[0];
  if (first?.accessKeyId !== undefined) {
    lines.push(
      "",
      `export AWS_ENDPOINT_URL=${endpoint} AWS_REGION=${region}`,
      `export AWS_ACCESS_KEY_ID=${first.accessKeyId} AWS_SECRET_ACCESS_KEY=${first.secretAccessKey ?? ""}`,
      "aws sts get-caller-identity    (tools older than 2023 want --endpoint-url)",
    );
  }
  return `${lines.join("\n")}\n`;
}
