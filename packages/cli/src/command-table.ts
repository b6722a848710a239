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
    noun: "lab",
    description: "a local AWS that enforces IAM, for trying and testing",
    load: () => import("./commands/lab.ts"),
  },
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
  {
    noun: "repository",
    description: "repositories: create, look into and check them",
    load: () => import("./commands/repository.ts"),
  },
  {
    noun: "image",
    description: "disk images: back up, restore, list",
    load: () => import("./commands/image.ts"),
  },
];
