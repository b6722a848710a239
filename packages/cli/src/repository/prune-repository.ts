import { GarrisonError } from "@garrison/core/garrison-error";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import { loadHeldUntil } from "@garrison/repository/locks/held-until";
import { executePrune } from "@garrison/repository/prune/execute-prune";
import { planPrune } from "@garrison/repository/prune/plan-prune";
import type { PruneOptions, PrunePlan, PruneSummary } from "@garrison/repository/prune/prune-plan";
import { loadStoreTraits } from "@garrison/repository/store/probe-store";
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
  await requireSorted(opened, context);
  const pruned: PrunedDomain[] = [];
  for (const keys of await listDomains(opened, flags.domain, context))
    pruned.push(await pruneDomain({ opened, keys, flags, options }, context));
  if (flags.json === true) context.stdout.write(`${JSON.stringify({ domains: pruned })}\n`);
  else if (pruned.length === 0) context.stdout.write("Nothing is stored yet.\n");
  const findings = pruned.flatMap(({ plan, summary }) => [...plan.findings, ...(summary?.findings ?? [])]);
  if (findings.some((finding) => finding.severity === "damage")) context.setExitCode(1);
}

/** A pass joins listings in their order: one that is in no order could make it take what is needed for what is not. */
async function requireSorted({ store }: OpenedRepository, context: CliContext): Promise<void> {
  const { listing } = await loadStoreTraits({ ...context, store }, context);
  if (listing === "sorted") return;
  throw new GarrisonError("store-unsuitable", `${store.address} lists in no order: no prune can trust it`);
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
  const pruner = keeperOf(wanted.opened, keys, context);
  const keeper = {
    ...pruner,
    onProgress: progress.update,
    heldUntil: await loadHeldUntil(pruner, context),
  };
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
