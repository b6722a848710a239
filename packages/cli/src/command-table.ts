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
    noun: "demo",
    description: "the whole story on a local AWS (npm start)",
    load: () => import("./commands/demo.ts"),
  },
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
  {
    noun: "stream",
    description: "dumps and other streams of bytes: back up, restore, list",
    load: () => import("./commands/stream.ts"),
  },
  {
    noun: "serve",
    description: "the appliance: API, durable runs and sweeper",
    load: () => import("./commands/serve.ts"),
  },
  {
    noun: "accounts",
    description: "AWS accounts and the roles they are worked on with",
    load: () => import("./commands/accounts.ts"),
  },
  {
    noun: "repositories",
    description: "the repositories that the appliance backs up to",
    load: () => import("./commands/repositories.ts"),
  },
  {
    noun: "resources",
    description: "what can be protected",
    load: () => import("./commands/resources.ts"),
  },
  {
    noun: "workers",
    description: "the instances that copy data: test that they can",
    load: () => import("./commands/workers.ts"),
  },
  {
    noun: "backup",
    description: "back up a resource now",
    load: () => import("./commands/backup.ts"),
  },
  {
    noun: "restore",
    description: "restore from a restore point",
    load: () => import("./commands/restore.ts"),
  },
  {
    noun: "runs",
    description: "backups and restores: what they did, step by step",
    load: () => import("./commands/runs.ts"),
  },
  {
    noun: "points",
    description: "restore points",
    load: () => import("./commands/points.ts"),
  },
  {
    noun: "sweep",
    description: "remove what ended runs left in the accounts",
    load: () => import("./commands/sweep.ts"),
  },
];
