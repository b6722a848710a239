import type { Command } from "commander";
import { connectAppliance, newIdempotencyKey, type ConnectionFlags } from "../appliance/connect-appliance.ts";
import { listAll } from "../appliance/list-all.ts";
import { printResult } from "../appliance/print-result.ts";
import type { CliContext } from "../cli-context.ts";
import { formatTable } from "../repository/format-points.ts";
import { readPassword, type PasswordFlags } from "../repository/read-password.ts";

interface AddFlags extends ConnectionFlags, PasswordFlags {
  readonly name: string;
  readonly adopt?: true;
  readonly randomSecret?: true;
  readonly role?: string;
  readonly externalId?: string;
  readonly stagingBucket?: string;
  readonly bucketKey?: string;
}

export function register(program: Command, context: CliContext): void {
  const repositories = program
    .command("repositories")
    .description("the repositories that the appliance backs up to");
  repositories
    .command("add")
    .description("make a repository, or adopt one that exists")
    .argument("<url>", "s3://bucket/prefix[?region=...&endpoint=...]")
    .requiredOption("--name <name>", "what you call it")
    .option("--adopt", "there is one already: open it")
    .option("--random-secret", "no password: only this appliance can open it")
    .option(
      "--password-file <file>",
      "its first line is the password (default: GARRISON_PASSWORD, then a prompt)",
    )
    .option("--role <arn>", "the repository role")
    .option("--external-id <id>", "that the role asks for")
    .option("--staging-bucket <bucket>", "where workers fetch their program")
    .option("--bucket-key <arn>", "the bucket's own KMS key")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((url: string, flags: AddFlags) => add(url, flags, context));
  repositories
    .command("list")
    .description("list repositories")
    .option("--data <dir>", "the appliance's folder")
    .option("--json", "print one object")
    .action((flags: ConnectionFlags) => list(flags, context));
}

async function add(url: string, flags: AddFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const isNew = flags.adopt !== true;
  const password =
    isNew && flags.randomSecret === true ? undefined : await readPassword(flags, context, { isNew });
  const body = {
    name: flags.name,
    url,
    mode: isNew ? ("init" as const) : ("adopt" as const),
    password,
    roleArn: flags.role,
    externalId: flags.externalId,
    stagingBucket: flags.stagingBucket,
    bucketKeyArn: flags.bucketKey,
  };
  const idempotencyKey = newIdempotencyKey();
  const repository = await api.call("createRepository", { body, idempotencyKey }, context.signal);
  const done = isNew ? "Created" : "Adopted";
  const text = () =>
    `${done} repository ${repository.name} (${repository.repositoryId}) at ${repository.url}\n`;
  printResult(context, { json: flags.json, value: repository, text });
}

async function list(flags: ConnectionFlags, context: CliContext): Promise<void> {
  const api = await connectAppliance(flags, context);
  const items = await listAll((cursor) =>
    api.call("listRepositories", { query: { cursor } }, context.signal),
  );
  const text = () => {
    if (items.length === 0) return "No repositories are known; `garrison repositories add` adds one.\n";
    const rows = items.map(({ id, name, url }) => [id, name, url]);
    return formatTable([["REPOSITORY", "NAME", "ADDRESS"], ...rows]);
  };
  printResult(context, { json: flags.json, value: { items }, text });
}
