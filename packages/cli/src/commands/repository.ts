import type { Command } from "commander";
import type { CliContext } from "../cli-context.ts";
import type { RepositoryCheckFlags } from "../repository/check-repository.ts";
import { runInit, type InitFlags } from "../repository/init-command.ts";
import { openNamedRepository } from "../repository/open-named-repository.ts";
import { printPoints } from "../repository/print-points.ts";
import type { SecretFlags } from "../repository/read-secret.ts";
import type { PruneFlags } from "../repository/prune-repository.ts";
import { registerKeys } from "../repository/register-keys.ts";
import type { RepairFlags } from "../repository/repair-repository.ts";
import { registerLocks } from "../repository/repository-locks.ts";
import { formatStatus, readRepositoryStatus } from "../repository/repository-status.ts";

interface CommonFlags extends SecretFlags {
  readonly domain?: string;
  readonly json?: true;
}

export function register(program: Command, context: CliContext): void {
  const { verb, reading } = openVerbs(program);
  verb("init", "create a repository and probe its store")
    .option("--kms-key <arn>", "this KMS key opens it; a password too, if one is given")
    .option("--escrow-file <file>", "write an escrow sheet to this new file")
    .action((url: string, flags: InitFlags) => runInit(url, flags, context));
  registerKeys(
    reading("keys", "who can open the repository: list, add, remove, change, rotate, escrow"),
    context,
  );
  reading("status", "what is stored, by domain").action((url: string, flags: CommonFlags) =>
    runStatus(url, flags, context),
  );
  reading("list", "the restore points of all domains")
    .option("--domain <name>", "only this domain")
    .action((url: string, flags: CommonFlags) => printPoints({ ...flags, repository: url }, context));
  registerLocks(
    reading("locks", "until when restore points are promised and held; exits 1 when a lock is too short"),
    context,
  );
  reading("check", "find everything that is missing or damaged; exits 1 when something is")
    .option("--domain <name>", "only this domain")
    .option(
      "--level <level>",
      "structure (default), sample: read a share of the packs, or full: open every block",
    )
    .option("--sample <share>", "the share, such as 5% (default 1%)")
    .option("--seed <text>", "the same seed draws the same packs")
    .option("--budget <budget>", "read so much (10GiB), or so long (30m), what was read longest ago first")
    .option("--max-age <time>", "leave out what was read within this time (30d)")
    .option("--ranges", "list every volume of every point that is hit, with all its lost bytes")
    .action(async (url: string, flags: RepositoryCheckFlags) => {
      const { checkStoredRepository } = await import("../repository/check-repository.ts");
      await checkStoredRepository(url, flags, context);
    });
  reading(
    "repair",
    "bring back lost blocks of older points by what later backups stored; exits 1 if some stay lost",
  )
    .option("--domain <name>", "only this domain")
    .option("--plan", "only show what would come back, and which bytes stay lost")
    .action(async (url: string, flags: RepairFlags) => {
      const { repairRepository } = await import("../repository/repair-repository.ts");
      await repairRepository(url, flags, context);
    });
  reading("prune", "free what no restore point needs; shows its plan first")
    .option("--domain <name>", "only this domain")
    .option("--plan", "only show what would be done, and why")
    .option("--grace <time>", "how long the bytes of an ended restore point stay", "7d")
    .option("--stale <time>", "a session without a sign of life for so long is declared dead", "24h")
    .option("--repack-below <fraction>", "move what is left of packs that are less in use; 0: none", "0.5")
    .option("--accept-vanished", "end restore points that vanished, instead of refusing to start")
    .action(async (url: string, flags: PruneFlags) => {
      const { pruneRepository } = await import("../repository/prune-repository.ts");
      await pruneRepository(url, flags, context);
    });
}

function openVerbs(program: Command) {
  const repository = program
    .command("repository")
    .description("repositories: create, look into and check the place where restore points are kept");
  const verb = (name: string, description: string) =>
    repository
      .command(name)
      .description(description)
      .argument("<url>", "file:///folder or s3://bucket/prefix[?region=...&endpoint=...&lock=...]")
      .option(
        "--password-file <file>",
        "its first line is the password (default: GARRISON_PASSWORD, then a prompt)",
      )
      .option("--json", "print one object");
  const reading = (name: string, description: string) =>
    verb(name, description)
      .option("--sheet <file>", "open with an escrow sheet (or GARRISON_ESCROW_SHEET)")
      .option("--kms", "open with a KMS key that the repository has (or GARRISON_KMS=1)");
  return { verb, reading };
}

async function runStatus(url: string, flags: CommonFlags, context: CliContext): Promise<void> {
  using opened = await openNamedRepository({ ...flags, repository: url }, context);
  const status = await readRepositoryStatus(opened, context);
  context.stdout.write(flags.json === true ? `${JSON.stringify(status)}\n` : formatStatus(status));
}
