import { GarrisonError } from "@garrison/core/garrison-error";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import { executePrune } from "@garrison/repository/prune/execute-prune";
import { planPrune } from "@garrison/repository/prune/plan-prune";
import type { PruneOptions, PrunePlan, PruneSummary } from "@garrison/repository/prune/prune-plan";
import type { CliContext } from "../cli-context.ts";
import { formatPrunePlan, formatPruneSummary } from "./format-prune.ts";
import { keeperOf } from "./keeper-of.ts";
import { listDomains, openNamedRepository, type OpenedRepository } from "./open-named-repository.ts";
import { parseSpan } from "./parse-span.ts";
import type { SecretFlags } from "./read-secret.ts";
import { showSteps } from "./show-steps.ts";

export interface PruneFlags extends SecretFlags {
  readonly domain?: string;
  readonly plan?: true;
  readonly grace: string;
  readonly stale: string;
  readonly repackBelow: string;
  readonly acceptVanished?: true;
  readonly json?: true;
}

interface PrunedDomain {
  readonly domain: string;
  readonly plan: PrunePlan;
  readonly summary?: PruneSummary;
}

/** One pass over each domain: the plan is shown, then done. Exits 1 when something is lost or has to be settled. */
export async function pruneRepository(url: string, flags: PruneFlags, context: CliContext): Promise<void> {
  const options = optionsOf(flags);
  using opened = await openNamedRepository({ ...flags, repository: url }, context);
  const pruned: PrunedDomain[] = [];
  for (const keys of await listDomains(opened, flags.domain, context))
    pruned.push(await pruneDomain({ opened, keys, flags, options }, context));
  if (flags.json === true) context.stdout.write(`${JSON.stringify({ domains: pruned })}\n`);
  else if (pruned.length === 0) context.stdout.write("Nothing is stored yet.\n");
  const findings = pruned.flatMap(({ plan, summary }) => [...plan.findings, ...(summary?.findings ?? [])]);
  if (findings.some((finding) => finding.severity === "damage")) context.setExitCode(1);
}

async function pruneDomain(
  wanted: {
    readonly opened: OpenedRepository;
    readonly keys: DomainKeys;
    readonly flags: PruneFlags;
    readonly options: PruneOptions;
  },
  context: CliContext,
): Promise<PrunedDomain> {
  const { keys, flags } = wanted;
  const progress = showSteps(context);
  const keeper = { ...keeperOf(wanted.opened, keys, context), onProgress: progress.update };
  const tell = (text: string) => {
    progress.finish();
    if (flags.json !== true) context.stdout.write(text);
  };
  try {
    const plan = await planPrune(keeper, wanted.options, context);
    tell(formatPrunePlan(keys.domain, plan));
    if (flags.plan === true) return { domain: keys.domain, plan };
    const summary = await executePrune(keeper, plan, context);
    tell(formatPruneSummary(summary));
    return { domain: keys.domain, plan, summary };
  } finally {
    progress.finish();
  }
}

function optionsOf(flags: PruneFlags): PruneOptions {
  return {
    graceMs: parseSpan(flags.grace, "--grace"),
    staleMs: parseSpan(flags.stale, "--stale"),
    repackBelow: fractionOf(flags.repackBelow),
    acceptVanished: flags.acceptVanished === true,
  };
}

function fractionOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new GarrisonError("usage", `--repack-below is a number from 0 to 1, not ${text}`);
}
