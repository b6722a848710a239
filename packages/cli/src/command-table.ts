import type { Command } from "commander";
import type { CliContext } from "./cli-context.ts";

export interface CommandModule {
  /** Adds the noun's command, with its verbs, to the program. */
  register(program: Command, context: CliContext): void;
}

export interface CommandEntry {
  readonly noun: string;
  readonly description: string;
  readonly load: () => Promise<CommandModule>;
}

/** Every noun of the command line; each module is loaded only when its noun is used. */
export const commandTable: readonly CommandEntry[] = [
  {
    noun: "iam",
    description: "IAM policies: who may do what, and why not",
    load: () => import("./commands/iam.ts"),
  },
  {
    noun: "roles",
    description: "IAM roles: what Garrison needs, and whether it is there",
    load: () => import("./commands/roles.ts"),
  },
];
