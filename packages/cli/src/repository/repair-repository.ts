import { formatSize } from "@garrison/core/units";
import { blockSizeBytes } from "@garrison/repository/disk/block-source";
import { checkRepository } from "@garrison/repository/check/check-repository";
import { formatSpans } from "@garrison/repository/repair/block-runs";
import { executeRepair } from "@garrison/repository/repair/execute-repair";
import { planRepair, type RepairPlan, type VolumeRepair } from "@garrison/repository/repair/plan-repair";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import type { CliContext } from "../cli-context.ts";
import { sum } from "./format-points.ts";
import { keeperOf } from "./keeper-of.ts";
import { listDomains, openNamedRepository, type OpenedRepository } from "./open-named-repository.ts";
import type { SecretFlags } from "./read-secret.ts";

export interface RepairFlags extends SecretFlags {
  readonly domain?: string;
  readonly plan?: true;
  readonly json?: true;
}

interface DomainRepair {
  readonly domain: string;
  readonly itemsHealed: number;
  readonly itemsRefused: number;
  readonly volumes: readonly Omit<VolumeRepair, "series">[];
}

/**
 * Looks for missing packs, prints what can be repaired and what stays lost, and repairs it. Exit code 1 when something
 * stays lost.
 */
export async function repairRepository(url: string, flags: RepairFlags, context: CliContext): Promise<void> {
  using opened = await openNamedRepository({ ...flags, repository: url }, context);
  const domains: DomainRepair[] = [];
  for (const keys of await listDomains(opened, flags.domain, context)) {
    domains.push(await repairDomain(opened, { keys, flags }, context));
  }
  if (domains.some(({ volumes }) => volumes.some((volume) => volume.remaining.length > 0))) {
    context.setExitCode(1);
  }
  if (flags.json === true) context.stdout.write(`${JSON.stringify({ domains })}\n`);
}

async function repairDomain(
  opened: OpenedRepository,
  repaired: { readonly keys: DomainKeys; readonly flags: RepairFlags },
  context: CliContext,
): Promise<DomainRepair> {
  const { keys, flags } = repaired;
  const { store, repository } = opened;
  const { domain } = keys;
  const keeper = { ...keeperOf(opened, keys, context), repository };
  // What is missing or cut short shows without reading it; what is damaged inside was noted by an earlier check.
  for await (const _ of checkRepository(
    { store, repository, memory: keeper },
    { level: "structure", domain },
    context,
  ));
  const plan = await planRepair(keeper, context);
  if (flags.json !== true) context.stdout.write(formatPlan(domain, plan));
  if (flags.plan === true || plan.forwards.length === 0) {
    return { domain, itemsHealed: 0, itemsRefused: 0, volumes: plan.volumes.map(withoutSeries) };
  }
  const { itemsHealed, itemsRefused, after } = await executeRepair(keeper, plan, context);
  if (flags.json !== true) {
    const refused = itemsRefused === 0 ? "" : `; ${itemsRefused} copies could not be used`;
    context.stdout.write(`${domain}: repaired ${itemsHealed} items${refused}\n`);
  }
  return { domain, itemsHealed, itemsRefused, volumes: after.volumes.map(withoutSeries) };
}

function withoutSeries({ series: _series, ...volume }: VolumeRepair) {
  return volume;
}

function formatPlan(domain: string, plan: RepairPlan): string {
  if (plan.volumes.length === 0) return `${domain}: nothing is known to be lost\n`;
  const items = sum(plan.forwards.map((forward) => forward.items.length));
  const head = `${domain}: ${items} lost items have another copy\n`;
  return head + plan.volumes.map(formatVolume).join("");
}

function formatVolume(volume: VolumeRepair): string {
  const { point, name, volumeId, blocks, blocksHealed, remaining } = volume;
  const rest = remaining.length === 0 ? "whole again" : `stays lost: bytes ${formatSpans(remaining, 16)}`;
  const healed = formatSize(blocksHealed * blockSizeBytes);
  return `  ${point} ${name} ${volumeId}: ${healed} of ${formatSize(blocks * blockSizeBytes)} come back, ${rest}\n`;
}
