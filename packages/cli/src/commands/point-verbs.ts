import type { Command } from "commander";

/** Begins a command of a noun with what all commands on restore points take: the repository, its password, `--json`. */
export type PointVerb = (name: string, description: string) => Command;

export function openPointVerbs(noun: Command): PointVerb {
  return (name, description) =>
    noun
      .command(name)
      .description(description)
      .requiredOption("--repository <url>", "file:///folder or s3://bucket/prefix[?region=...&endpoint=...]")
      .option(
        "--password-file <file>",
        "its first line is the password (default: GARRISON_PASSWORD, then a prompt)",
      )
      .option("--json", "print one object");
}
