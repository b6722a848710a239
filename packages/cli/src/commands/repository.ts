import type { Command } from "commander";
import { checkRepository } from "@garrison/repository/check/check-repository";
import type { CheckLevel, Finding } from "@garrison/repository/check/check-plan";
import { initRepository } from "@garrison/repository/keys/init-repository";
import { listPoints } from "@garrison/repository/point/list-points";
import type { CliContext } from "../cli-context.ts";
import { openStore } from "../repository-address.ts";
import { formatPoints, type ListedPoint } from "../repository/format-points.ts";
import {
  listDomains,
  openNamedRepository,
  type OpenedRepository,
} from "../repository/open-named-repository.ts";
import { readPassword, type PasswordFlags } from "../repository/read-password.ts";
import { formatStatus, readRepositoryStatus } from "../repository/repository-status.ts";
import { GarrisonError } from "@garrison/core/garrison-error";

interface CommonFlags extends PasswordFlags {
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
  verb("init", "create a repository and probe its store").action((url: string, flags: CommonFlags) =>
    runInit(url, flags, context),
  );
  verb("status", "what is stored, by domain").action((url: string, flags: CommonFlags) =>
    runStatus(url, flags, context),
  );
  verb("list", "the restore points of all domains")
    .option("--domain <name>", "only this domain")
    .action((url: string, flags: CommonFlags) => runList(url, flags, context));
  verb("check", "find everything that is missing or damaged; exits 1 when something is")
    .option("--domain <name>", "only this domain")
    .option("--level <level>", "structure, or full: open every block", "structure")
    .action((url: string, flags: CommonFlags & { readonly level: string }) => runCheck(url, flags, context));
}

async function runInit(url: string, flags: CommonFlags, context: CliContext): Promise<void> {
  const password = await readPassword(flags, context, { isNew: true });
  using opened = await openStore(url, context);
  const { repositoryId } = await initRepository({ ...context, store: opened.store }, [{ password }], context);
  const { address } = opened.store;
  context.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ address, repositoryId })}\n`
      : `Created repository ${repositoryId} at ${address}\nWithout its password nothing in it can ever be read.\n`,
  );
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
