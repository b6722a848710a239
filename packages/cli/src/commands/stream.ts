import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { openPointVerbs } from "./point-verbs.ts";
import { backupStreamInput, type StreamBackupFlags } from "../repository/backup-stream.ts";
import { printPoints, type ListFlags } from "../repository/print-points.ts";
import { restoreStreamPoint, type StreamRestoreFlags } from "../repository/restore-stream.ts";

export function register(program: Command, context: CliContext): void {
  const stream = program
    .command("stream")
    .description(
      "dumps and other streams of bytes, without an appliance: back up what a program writes, and restore it",
    );
  const verb = openPointVerbs(stream);
  verb("backup", "make a restore point of standard input, or of what a program writes")
    .argument(
      "[command...]",
      "behind `--`: a program; no point is made when it fails, which a pipe can't tell",
    )
    .requiredOption("--name <name>", "what the stream is called; its newest restore point is the parent")
    .option("--domain <name>", "inside which chunks are shared", "local")
    .option(
      "--keep-locked <time>",
      "promise that nobody can delete it for so long (90d); needs S3 Object Lock",
    )
    .option("--resume <session>", "use what an interrupted backup has stored; the stream is made once more")
    .action((command: readonly string[], flags: StreamBackupFlags) =>
      backupStreamInput(command, flags, context),
    );
  verb("restore", "write a stream to standard output, or into a new file")
    .argument("<point>", "a restore point's id, or a name: then its newest")
    .option("--target <file>", "a new file; it is there only when it is whole")
    .option("--domain <name>", "the domain it is in", "local")
    .option("--offset <bytes>", "where in the stream to begin")
    .option("--length <bytes>", "how many bytes")
    .action((point: string, flags: StreamRestoreFlags) => restoreStreamPoint(point, flags, context));
  verb("list", "restore points of streams")
    .option("--name <name>", "only of this name")
    .option("--domain <name>", "only this domain")
    .action((flags: ListFlags) => printPoints(flags, context, "stream"));
}
