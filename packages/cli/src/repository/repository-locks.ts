import type { Command } from "commander";
import type { DomainKeys } from "@garrison/repository/keys/keys";
import { executeLockExtension, type LockSummary } from "@garrison/repository/locks/execute-lock-extension";
import { planLockExtension, type LockPlan } from "@garrison/repository/locks/plan-lock-extension";
import type { CliContext } from "../cli-context.ts";
import { formatTable } from "./format-points.ts";
import { keeperOf } from "./keeper-of.ts";
import { listDomains, openNamedRepository, type OpenedRepository } from "./open-named-repository.ts";
import type { SecretFlags } from "./read-secret.ts";

interface LocksFlags extends SecretFlags {
  readonly domain?: string;
  readonly extend?: true;
  readonly json?: true;
}

interface DomainLocks {
  readonly domain: string;
  readonly plan: LockPlan;
  readonly summary: LockSummary | undefined;
}

export function registerLocks(verb: Command, context: CliContext): void {
  verb
    .option("--domain <name>", "only this domain")
    .option("--extend", "prolong what is too short: do so at least every 30 days")
    .action((url: string, flags: LocksFlags) => runLocks(url, flags, context));
}

/** Says until when restore points are promised and held, and with `--extend` prolongs the locks that end too early. */
async function runLocks(url: string, flags: LocksFlags, context: CliContext): Promise<void> {
  using opened = await openNamedRepository({ ...flags, repository: url }, context);
  const domains: DomainLocks[] = [];
  for (const keys of await listDomains(opened, flags.domain, context))
    domains.push(await lookAtDomain(opened, { keys, flags }, context));
  if (flags.json === true) context.stdout.write(`${JSON.stringify({ domains: domains.map(asJson) })}\n`);
  else for (const each of domains) context.stdout.write(formatLocks(each));
  const isBroken = domains.some(({ plan, summary }) => plan.extensions.length > 0 && summary === undefined);
  if (isBroken || domains.some(({ summary }) => (summary?.missing.length ?? 0) > 0)) context.setExitCode(1);
}

async function lookAtDomain(
  opened: OpenedRepository,
  wanted: { readonly keys: DomainKeys; readonly flags: LocksFlags },
  context: CliContext,
): Promise<DomainLocks> {
  const { keys, flags } = wanted;
  const { domain } = keys;
  const keeper = keeperOf(opened, keys, context);
  const plan = await planLockExtension(keeper, context);
  if (flags.extend !== true) return { domain, plan, summary: undefined };
  const summary = await executeLockExtension(keeper, plan, context);
  // What is held now is read from the ledger: nothing is asked for twice.
  return { domain, plan: await planLockExtension(keeper, context), summary };
}

function asJson({ domain, plan, summary }: DomainLocks) {
  const iso = (timeMs: number) => (timeMs === 0 ? null : new Date(timeMs).toISOString());
  return {
    domain,
    points: plan.points.map(({ session, name, promisedUntilMs, heldUntilMs }) => ({
      point: session,
      name,
      promisedUntil: iso(promisedUntilMs),
      heldUntil: iso(heldUntilMs),
    })),
    unpromised: plan.unpromised,
    due: { sessions: plan.extensions.length, calls: plan.calls },
    ...(summary === undefined ? {} : { extended: summary }),
  };
}

const day = (timeMs: number) => (timeMs === 0 ? "not locked" : new Date(timeMs).toISOString().slice(0, 10));

function formatLocks({ domain, plan, summary }: DomainLocks): string {
  const head = `${domain}: ${plan.points.length} restore points promise a date, ${plan.unpromised} do not\n`;
  const rows = plan.points.map(({ session, name, promisedUntilMs, heldUntilMs }) => [
    session,
    name,
    day(promisedUntilMs),
    day(heldUntilMs),
    heldUntilMs < promisedUntilMs ? "too short" : "",
  ]);
  const table =
    rows.length === 0 ? "" : formatTable([["POINT", "NAME", "PROMISED", "HELD UNTIL", ""], ...rows]);
  return head + table + tailOf(plan, summary);
}

function tailOf(plan: LockPlan, summary: LockSummary | undefined): string {
  if (summary !== undefined) {
    const missing = summary.missing.map((key) => `missing: ${key}\n`).join("");
    return `${missing}Prolonged ${summary.locksProlonged} locks of ${summary.sessions} sessions.\n`;
  }
  if (plan.extensions.length === 0) return "";
  return `${plan.extensions.length} sessions have to be prolonged, ${plan.calls} calls: add --extend\n`;
}
