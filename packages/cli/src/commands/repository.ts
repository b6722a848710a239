import type { Command } from "commander";
import { checkRepository } from "@garrison/repository/check/check-repository";
import type { CheckLevel, Finding } from "@garrison/repository/check/check-plan";
import { listPoints } from "@garrison/repository/point/list-points";
import type { CliContext } from "../cli-context.ts";
import { formatPoints, type ListedPoint } from "../repository/format-points.ts";
import {
  listDomains,
  openNamedRepository,
  type OpenedRepository,
} from "../repository/open-named-repository.ts";
import { runInit, type InitFlags } from "../repository/init-command.ts";
import type { SecretFlags } from "../repository/read-secret.ts";
import { pruneRepository, type PruneFlags } from "../repository/prune-repository.ts";
import { registerKeys } from "../repository/register-keys.ts";
import { formatStatus, readRepositoryStatus } from "../repository/repository-status.ts";
import { GarrisonError } from "@garrison/core/garrison-error";

interface CommonFlags extends SecretFlags {
  readonly domain?: string;
  readonly json?: true;
}

export function register(program: Command, context: CliContext): void {
  const repository = program
    .command("repository")
    .description("repositories: create, look into and check the place where restore points are kept");
  const verb = (name: string, description: string) =>
    repository
      .command(name)
      .description(description)
      .argument("<url>", "file:///folder or s3://bucket/prefix[?region=...&endpoint=...]")
      .option(
        "--password-file <file>",
        "its first line is the password (default: GARRISON_PASSWORD, then a prompt)",
      )
      .option("--json", "print one object");
  const reading = (name: string, description: string) =>
    verb(name, description)
      .option("--sheet <file>", "open with an escrow sheet (or GARRISON_ESCROW_SHEET)")
      .option("--kms", "open with a KMS key that the repository has (or GARRISON_KMS=1)");
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
    .action((url: string, flags: CommonFlags) => runList(url, flags, context));
  reading("check", "find everything that is missing or damaged; exits 1 when something is")
    .option("--domain <name>", "only this domain")
    .option("--level <level>", "structure, or full: open every block", "structure")
    .action((url: string, flags: CommonFlags & { readonly level: string }) => runCheck(url, flags, context));
  reading("prune", "free what no restore point needs; shows its plan first")
    .option("--domain <name>", "only this domain")
    .option("--plan", "only show what would be done, and why")
    .option("--grace <time>", "how long the bytes of an ended restore point stay", "7d")
    .option("--stale <time>", "a session without a sign of life for so long is declared dead", "24h")
    .option("--repack-below <fraction>", "move what is left of packs that are less in use; 0: none", "0.5")
    .option("--accept-vanished", "end restore points that vanished, instead of refusing to start")
    .action((url: string, flags: PruneFlags) => pruneRepository(url, flags, context));
}

async function runStatus(url: string, flags: CommonFlags, context: CliContext): Promise<void> {
  using opened = await openNamedRepository({ ...flags, repository: url }, context);
  const status = await readRepositoryStatus(opened, context);
  context.stdout.write(flags.json === true ? `${JSON.stringify(status)}\n` : formatStatus(status));
}

async function runList(url: string, flags: CommonFlags, context: CliContext): Promise<void> {
  using opened = await openNamedRepository({ ...flags, repository: url }, context);
  const points: ListedPoint[] = [];
  for (const keys of await listDomains(opened, flags.domain, context)) {
    const found = await listPoints({ store: opened.store, keys }, {}, context);
    points.push(...found.map((point) => ({ domain: keys.domain, ...point })));
  }
  context.stdout.write(flags.json === true ? `${JSON.stringify({ points })}\n` : formatPoints(points));
}

async function runCheck(
  url: string,
  flags: CommonFlags & { readonly level: string },
  context: CliContext,
): Promise<void> {
  const { level } = flags;
  if (level !== "structure" && level !== "full") {
    throw new GarrisonError("usage", `--level is structure or full, not ${level}`);
  }
  using opened = await openNamedRepository({ ...flags, repository: url }, context);
  const findings = await collectFindings(opened, { level, domain: flags.domain }, context);
  const damaged = findings.filter((finding) => finding.severity === "damage").length;
  const verdict = damaged === 0 ? "intact" : "damaged";
  if (flags.json === true) context.stdout.write(`${JSON.stringify({ verdict, level, findings })}\n`);
  else context.stdout.write(`${verdict} (level ${level}, ${findings.length} findings)\n`);
  if (damaged > 0) context.setExitCode(1);

  async function collectFindings(
    { store, repository }: OpenedRepository,
    wanted: { readonly level: CheckLevel; readonly domain: string | undefined },
    context: CliContext,
  ): Promise<readonly Finding[]> {
    const found: Finding[] = [];
    for (const { domain } of await listDomains(opened, wanted.domain, context)) {
      for await (const finding of checkRepository(
        { store, repository },
        { level: wanted.level, domain },
        context,
      )) {
        found.push(finding);
        if (flags.json !== true) context.stdout.write(`${formatFinding(finding)}\n`);
      }
    }
    return found;
  }
}

function formatFinding(finding: Finding): string {
  const { severity, code, key, message, point, volumeId, range } = finding;
  const where = range === undefined ? "" : ` bytes ${range.offset}-${range.offset + range.length - 1}`;
  const who =
    point === undefined ? "" : ` (point ${point}${volumeId === undefined ? "" : `, ${volumeId}${where}`})`;
  return `${severity} ${code}: ${key}: ${message}${who}`;
}
