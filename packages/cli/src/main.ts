import type { Writable } from "node:stream";
import { Command, CommanderError } from "commander";
import { systemClock } from "@garrison/core/clock";
import { errorTable } from "@garrison/core/error-table";
import { describeError, GarrisonError, isGarrisonError } from "@garrison/core/garrison-error";
import { jsonLogger, silentLogger } from "@garrison/core/logger";
import { systemRandom } from "@garrison/core/random";
import type { CliContext } from "./cli-context.ts";
import { addExamples } from "./command-examples.ts";
import { commandTable } from "./command-table.ts";
import { usageErrorOf } from "./usage-error.ts";

/** The composition root of `garrison`: loads only the command that is asked for, so that start-up stays short. */
async function main(argv: readonly string[]): Promise<void> {
  const context = openContext();
  const program = new Command("garrison")
    .description("Backup for AWS: images of EC2 instances, their restore, and the roles that allow it")
    .version("0.1.0")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 usage, 3 unknown. Each command has --help and --json.",
    );
  const noun = argv.find((word) => !word.startsWith("-"));
  const wanted = commandTable.filter((entry) => entry.noun === noun);
  for (const entry of wanted.length > 0 ? wanted : commandTable) {
    if (wanted.length > 0) (await entry.load()).register(program, context);
    else program.command(entry.noun).description(entry.description);
  }
  addExamples(program);
  if (noun === undefined) {
    if (argv.includes("--version") || argv.includes("-V")) context.stdout.write("0.1.0\n");
    else program.outputHelp({ error: !argv.includes("--help") && !argv.includes("-h") });
    if (!argv.some((word) => ["--help", "-h", "--version", "-V"].includes(word))) context.setExitCode(2);
    return;
  }
  // An unknown noun is an error even when help on it is asked for.
  const asksHelp = (word: string) => word === "--help" || word === "-h";
  await run(program, wanted.length > 0 ? argv : argv.filter((word) => !asksHelp(word)), context);
}

async function run(program: Command, argv: readonly string[], context: CliContext): Promise<void> {
  try {
    for (const command of allCommands(program)) {
      command.exitOverride().configureOutput({ outputError: () => undefined });
    }
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    const asJson = ownWords(argv).includes("--json");
    if (!(error instanceof CommanderError)) reportFailure(error, asJson, context);
    else if (error.exitCode !== 0) reportUsage(error, asJson, context);
  }
}

/** What stands behind `--` is another program's. */
function ownWords(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end < 0 ? argv : argv.slice(0, end);
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** Help that was asked for by leaving the verb out is on standard error already. */
function reportUsage(error: CommanderError, asJson: boolean, context: CliContext): void {
  if (error.code === "commander.help") context.setExitCode(2);
  else reportFailure(usageErrorOf(error), asJson, context);
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
  // Whoever reads may stop reading (`| head`): nothing is left to be said then, and that is no failure.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", endWhenNobodyReads);
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => stop.abort(new GarrisonError("aborted", `stopped by ${name}`)));
  }
  const { warn, error } = jsonLogger((line) => process.stderr.write(line), systemClock.now);
  return {
    clock: systemClock,
    random: systemRandom,
    // On a command's stderr only what somebody may have to act upon.
    logger: { ...silentLogger, warn, error },
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

function endWhenNobodyReads(this: Writable, error: NodeJS.ErrnoException): void {
  // A command whose output is what was asked for listens itself: for it that is a failure.
  if (this.listenerCount("error") > 1) return;
  if (error.code !== "EPIPE") throw error;
  process.exit();
}

/** `help image backup` is `image backup --help`: only then are the noun's verbs known. */
function helpAsOption(argv: readonly string[]): readonly string[] {
  return argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
}

await main(helpAsOption(process.argv.slice(2)));
