import { once } from "node:events";
import { InvalidArgumentError, Option, type Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { formatInvitation, formatReport } from "../demo/format-report.ts";
import { runDemo } from "../demo/run-demo.ts";

interface DemoFlags {
  readonly once?: true;
  readonly json?: true;
  readonly data: string;
  readonly labPort: number;
  readonly port: number;
  readonly rootFiles: number;
  readonly dataFiles: number;
  readonly placement: "production" | "backup";
}

export function register(program: Command, context: CliContext): void {
  program
    .command("demo")
    .description(
      "the whole story on a local AWS: roles, backup, change, backup, restore, compare (npm start)",
    )
    .option("--once", "end after the story instead of serving")
    .option("--json", "print the report as one object")
    .option("--data <folder>", "where everything is kept", ".garrison")
    .option("--lab-port <port>", "0 takes any free one", wholeNumber, 4566)
    .option("--port <port>", "of the appliance; 0 takes any free one", wholeNumber, 8080)
    .option("--root-files <MiB>", "how many files go on the root disk", wholeNumber, 1088)
    .option("--data-files <MiB>", "how many files go on the data disk", wholeNumber, 192)
    .addOption(
      new Option("--placement <where>", "where workers run")
        .choices(["production", "backup"])
        .default("production"),
    )
    .action((flags: DemoFlags) => tellStory(flags, context));
}

async function tellStory(flags: DemoFlags, context: CliContext): Promise<void> {
  const out = flags.json === true ? context.stderr : context.stdout;
  const options = {
    dataDir: flags.data,
    partsDir: flags.data,
    labPort: flags.labPort,
    appliancePort: flags.port,
    rootFilesMiB: flags.rootFiles,
    dataFilesMiB: flags.dataFiles,
    placement: flags.placement,
  };
  const { report, running } = await runDemo(options, context, (line) => void out.write(`${line}\n`));
  await using _ = running;
  if (flags.json === true) context.stdout.write(`${JSON.stringify(report)}\n`);
  else out.write(formatReport(report));
  if (flags.once === true) return;
  out.write(formatInvitation(report, flags.data));
  if (!context.signal.aborted) await once(context.signal, "abort");
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("a whole number is wanted");
  return Number(text);
}
