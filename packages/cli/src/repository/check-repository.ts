import { GarrisonError } from "@garrison/core/garrison-error";
import { formatSize } from "@garrison/core/units";
import { checkKeys } from "@garrison/repository/check/check-keys";
import { checkRepository, type CheckSummary } from "@garrison/repository/check/check-repository";
import type { CheckBudget, CheckLevel, CheckPlan, Finding } from "@garrison/repository/check/check-plan";
import { formatSpans } from "@garrison/repository/repair/block-runs";
import type { Shadow } from "@garrison/repository/store/unshadowed-object-store";
import type { CliContext } from "../cli-context.ts";
import { listDomains, openNamedRepository, type OpenedRepository } from "./open-named-repository.ts";
import { parseBudget } from "./parse-budget.ts";
import { parseShare } from "./parse-share.ts";
import { parseSpan } from "./parse-span.ts";
import type { SecretFlags } from "./read-secret.ts";

export interface RepositoryCheckFlags extends SecretFlags {
  readonly domain?: string;
  readonly level?: string;
  readonly sample?: string;
  readonly seed?: string;
  readonly budget?: string;
  readonly maxAge?: string;
  readonly ranges?: true;
  readonly json?: true;
}

interface DomainSummary extends CheckSummary {
  readonly domain: string;
}

/** Finds what is missing or damaged, notes it for backups and repairs, and sets exit code 1 if there is anything. */
export async function checkStoredRepository(
  url: string,
  flags: RepositoryCheckFlags,
  context: CliContext,
): Promise<void> {
  const wanted = planOf(flags, context);
  using opened = await openNamedRepository({ ...flags, repository: url }, context);
  const findings: Finding[] = [];
  const domains: DomainSummary[] = [];
  const onFinding = (finding: Finding) => {
    findings.push(finding);
    if (flags.json !== true) context.stdout.write(formatFinding(finding, flags.ranges === true));
  };
  for await (const finding of checkKeys(opened, context)) onFinding(finding);
  for (const { domain } of await listDomains(opened, flags.domain, context)) {
    const checked = await checkDomain(opened, { plan: { ...wanted, domain }, onFinding }, context);
    domains.push({ domain, ...checked });
  }
  for (const shadow of opened.shadows.values()) onFinding(describeShadow(shadow));
  const verdict = findings.some((finding) => finding.severity === "damage") ? "damaged" : "intact";
  if (verdict === "damaged") context.setExitCode(1);
  const { level, seed } = wanted;
  const drawn = level === "sample" ? { seed } : {};
  context.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ verdict, level, ...drawn, findings, domains })}\n`
      : `${domains.map(formatSummary).join("")}${verdict} (level ${level}, ${findings.length} findings)\n`,
  );
}

/** Somebody else's delete marker or version harms nothing, but it shows that somebody tried. */
function describeShadow({ key, how }: Shadow): Finding {
  const what = how === "hidden" ? "a delete marker" : "another version";
  const message = `somebody has put ${what} over this object; its first version is intact and used`;
  return { severity: "notice", code: "shadowed", key, message };
}

type WantedCheck = Omit<CheckPlan, "domain">;

function planOf(flags: RepositoryCheckFlags, context: CliContext): WantedCheck {
  const level = levelOf(flags);
  const budget = budgetOf(flags, level);
  if (flags.sample !== undefined && level !== "sample") {
    throw new GarrisonError("usage", "--sample is for --level sample");
  }
  return {
    level,
    seed: flags.seed ?? Buffer.from(context.random.bytes(6)).toString("hex"),
    ...(flags.sample === undefined ? {} : { share: parseShare(flags.sample, "--sample") }),
    ...(budget === undefined ? {} : { budget }),
    ...(flags.ranges === true ? { hitsListed: Number.POSITIVE_INFINITY } : {}),
  };
}

function levelOf({ level, sample, budget, maxAge }: RepositoryCheckFlags): CheckLevel {
  if (level === "structure" || level === "sample" || level === "full") return level;
  if (level !== undefined)
    throw new GarrisonError("usage", `--level is structure, sample or full, not ${level}`);
  if (sample !== undefined) return "sample";
  return budget !== undefined || maxAge !== undefined ? "full" : "structure";
}

function budgetOf({ budget, maxAge }: RepositoryCheckFlags, level: CheckLevel): CheckBudget | undefined {
  if (budget === undefined && maxAge === undefined) return undefined;
  if (level !== "full") throw new GarrisonError("usage", "--budget and --max-age are for --level full");
  return {
    ...(budget === undefined ? {} : parseBudget(budget, "--budget")),
    ...(maxAge === undefined ? {} : { maxAgeMs: parseSpan(maxAge, "--max-age") }),
  };
}

async function checkDomain(
  { store, repository }: OpenedRepository,
  wanted: { readonly plan: CheckPlan; readonly onFinding: (finding: Finding) => void },
  context: CliContext,
): Promise<CheckSummary> {
  const { clock, random, logger } = context;
  const memory = { clock, random, logger };
  const checking = checkRepository({ store, repository, memory }, wanted.plan, context);
  for (;;) {
    const next = await checking.next();
    if (next.done === true) return next.value;
    wanted.onFinding(next.value);
  }
}

function formatSummary({ domain, points, packs, packsRead, bytesRead, bytesDue }: DomainSummary): string {
  const read = packsRead === 0 ? "" : `, read ${formatSize(bytesRead)} in ${packsRead} packs`;
  const due = bytesDue === 0 ? "" : `, ${formatSize(bytesDue)} are still due`;
  return `${domain}: ${points} restore points in ${packs} packs${read}${due}\n`;
}

/** One line, and with `ranges` one more for each volume of a point that is hit. */
function formatFinding(finding: Finding, withRanges: boolean): string {
  const { severity, code, key, message, point, volumeId, range, hits = [], hitCount = 0 } = finding;
  const where = range === undefined ? "" : ` bytes ${formatSpans([range])}`;
  const volume = volumeId === undefined ? "" : `, ${volumeId}${where}`;
  const others = hitCount > 1 ? `, and ${hitCount - 1} more` : "";
  const who = point === undefined ? "" : ` (point ${point}${volume}${others})`;
  const lines = withRanges
    ? hits.map(
        (hit) => `  ${hit.point} ${hit.volumeId}: bytes ${formatSpans(hit.ranges, Infinity) || "none"}\n`,
      )
    : [];
  return [`${severity} ${code}: ${key}: ${message}${who}\n`, ...lines].join("");
}
