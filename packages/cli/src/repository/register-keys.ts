import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import { revokesNothing } from "./format-keys.ts";
import { keyActions, runKeys, type KeysFlags } from "./repository-keys.ts";

const help = `
Actions:
  list              ids, kinds, when made, labels, and which opens what (the default)
  add               another password, or with --kms-key a KMS key
  remove ID         one key; never the last
  change-password   a new password in the place of the one that opens the repository
  rotate            a new key epoch; every key's secret must be at hand, or its key dropped by name
  export            a new escrow sheet: a random secret on paper, with a copy of the sealed keys
  import            with --sheet: sets a new password, and brings back key objects that are lost

${revokesNothing}
`;

/** Adds the options and actions of `repository keys`. */
export function registerKeys(command: Command, context: CliContext): void {
  command
    .argument("[action]", keyActions.join(", "), "list")
    .argument("[id]", "of the key to remove")
    .option(
      "--new-password-file <file>",
      "its first line is the new password (default: GARRISON_NEW_PASSWORD)",
    )
    .option("--kms-key <arn>", "add: this KMS key instead of a password")
    .option("--label <text>", "what the new key is called; it lies open in the repository")
    .option("--escrow-file <file>", "export: a new file for the sheet (default: standard output)")
    .option("--also-password-file <file...>", "rotate: further passwords, each the first line of a file")
    .option("--also-sheet <file...>", "rotate: further escrow sheets")
    .option("--also-kms", "rotate: the repository's KMS keys too")
    .option("--drop <id...>", "rotate: keys that are given up")
    .option("--plan", "rotate: only say what would be done")
    .addHelpText("after", help)
    .action((...given: [string, string, string | undefined, KeysFlags]) => {
      const [url, action, wrapId, flags] = given;
      return runKeys({ url, action, wrapId }, flags, context);
    });
}
