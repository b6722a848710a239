import { Command, CommanderError } from "commander";
import { systemClock } from "@garrison/core/clock";
import { errorTable } from "@garrison/core/error-table";
import { describeError, GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { jsonLogger } from "@garrison/core/logger";
import { systemRandom } from "@garrison/core/random";
import type { CliContext } from "./cli-context.ts";
import { commandTable } from "./command-table.ts";

/** The composition root of `garrison`: loads only the command that is asked for, so that start-up stays short. */
async function main(argv: readonly string[]): Promise<void> {
  const context = openContext();
  const program = new Command("garrison")
    .description("Backup for AWS: images of EC2 instances, their restore, and the roles that allow it")
    .version("0.1.0")
    .exitOverride()
    .showHelpAfterError("(add --help for what it takes)");
  const noun = argv.find((word) => !word.startsWith("-"));
  const wanted = commandTable.filter((entry) => entry.noun === noun);
  for (const entry of wanted.length > 0 ? wanted : commandTable) {
    if (wanted.length > 0) (await entry.load()).register(program, context);
    else program.command(entry.noun).description(entry.description);
  }
  if (noun === undefined) {
    if (argv.includes("--version") || argv.includes("-V")) context.stdout.write("0.1.0\n");
    else program.outputHelp({ error: !argv.includes("--help") && !argv.includes("-h") });
    if (!argv.some((word) => ["--help", "-h", "--version", "-V"].includes(word))) context.setExitCode(2);
    return;
  }
  await run(program, argv, context);
}

async function run(program: Command, argv: readonly string[], context: CliContext): Promise<void> {
  try {
    for (const command of allCommands(program)) command.exitOverride();
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) context.setExitCode(error.exitCode === 0 ? 0 : 2);
    else reportFailure(error, argv.includes("--json"), context);
  }
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** One place where an error becomes words: the sentence, then what to do; with `--json` an object on stdout. */
function reportFailure(error: unknown, asJson: boolean, context: CliContext): void {
  const named = isGarrisonError(error)
    ? error
    : new GarrisonError("internal", "the command failed", { cause: error });
  const { exitCode, help, title } = errorTable[named.code];
  if (asJson) {
    const body = { code: named.code, title, message: named.message, details: named.details, help };
    context.stdout.write(`${JSON.stringify({ error: body })}\n`);
  }
  context.stderr.write(`garrison: ${describeError(named)}\n  ${help}\n`);
  if (named.code === "internal" && error instanceof Error) context.stderr.write(`${error.stack ?? ""}\n`);
  context.setExitCode(exitCode);
}

function openContext(): CliContext {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => stop.abort(new GarrisonError("aborted", `stopped by ${name}`)));
  }
  return {
    clock: systemClock,
    random: systemRandom,
    logger: jsonLogger((line) => process.stderr.write(line), systemClock.now),
    signal: stop.signal,
    environment: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    setExitCode: (code) => {
      process.exitCode = code;
    },
  };
}

await main(process.argv.slice(2));
