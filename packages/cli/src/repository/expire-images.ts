import { GarrisonError } from "@garrison/core/garrison-error";
import {
  endOrHold,
  planExpiry,
  type ExpiryPlan,
  type RetentionRules,
} from "@garrison/repository/retention/plan-expiry";
import { executeExpiry } from "@garrison/repository/retention/execute-expiry";
import { listPoints } from "@garrison/repository/point/list-points";
import type { RestorePoint } from "@garrison/repository/point/read-point";
import type { CliContext } from "../cli-context.ts";
import { formatTable } from "./format-points.ts";
import { keeperOf } from "./keeper-of.ts";
import { openNamedRepository, type RepositoryFlags } from "./open-named-repository.ts";
import { parseSpan } from "./parse-span.ts";

export interface ImageExpireFlags extends RepositoryFlags {
  readonly domain: string;
  readonly keepLast?: string;
  readonly keepHourly?: string;
  readonly keepDaily?: string;
  readonly keepWeekly?: string;
  readonly keepMonthly?: string;
  readonly keepYearly?: string;
  readonly keepWithin?: string;
  readonly plan?: true;
  readonly json?: true;
}

/** Ends restore points: those named by their ids, and of each name those that the rules don't keep. */
export async function expireImages(
  wanted: readonly string[],
  flags: ImageExpireFlags,
  context: CliContext,
): Promise<void> {
  const rules = rulesOf(flags);
  using opened = await openNamedRepository(flags, context);
  const { store, repository } = opened;
  const keys = repository.domainKeys(flags.domain);
  const points = await listPoints({ store, keys }, {}, context);
  const plan = planFor(wanted, rules, { points, nowMs: context.clock.now() });
  if (flags.json !== true) context.stdout.write(formatPlan(plan));
  if (flags.plan !== true) refuseHeld(wanted, plan);
  const keeper = keeperOf(opened, keys, context);
  const ended = flags.plan === true ? [] : await executeExpiry(keeper, plan, context);
  if (flags.json === true) context.stdout.write(`${JSON.stringify({ decisions: plan.decisions, ended })}\n`);
  else if (flags.plan !== true) context.stdout.write(formatEnded(plan, ended));
}

/** Rules end a promised point when its date has come; whoever names it by its id is told, and nothing is done. */
function refuseHeld(wanted: readonly string[], plan: ExpiryPlan): void {
  const held = plan.decisions.find(
    ({ outcome, sessionId }) => outcome === "hold" && wanted.includes(sessionId),
  );
  if (held === undefined) return;
  const until = new Date(held.heldUntilMs!).toISOString();
  const message = `restore point ${held.sessionId} is held until ${until}: that was promised`;
  throw new GarrisonError("point-promised", message, { details: { heldUntilMs: held.heldUntilMs } });
}

function formatEnded({ decisions }: ExpiryPlan, ended: readonly string[]): string {
  const left = decisions.filter(({ outcome, sessionId }) => outcome !== "keep" && !ended.includes(sessionId));
  const held = left.length === 0 ? "" : ` ${left.length} more are held by their promises.`;
  return `Ended ${ended.length} restore points. A prune frees their space.${held}\n`;
}

function rulesOf(flags: ImageExpireFlags): RetentionRules | undefined {
  const given = {
    last: flags.keepLast,
    hourly: flags.keepHourly,
    daily: flags.keepDaily,
    weekly: flags.keepWeekly,
    monthly: flags.keepMonthly,
    yearly: flags.keepYearly,
  };
  const rules: Record<string, number> = {};
  for (const [name, text] of Object.entries(given)) {
    if (text !== undefined) rules[name] = countOf(text, `--keep-${name}`);
  }
  if (flags.keepWithin !== undefined) rules["withinMs"] = parseSpan(flags.keepWithin, "--keep-within");
  return Object.keys(rules).length === 0 ? undefined : rules;
}

function countOf(text: string, option: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new GarrisonError("usage", `${option} is a whole number, not ${text}`);
}

function planFor(
  wanted: readonly string[],
  rules: RetentionRules | undefined,
  { points, nowMs }: { readonly points: readonly RestorePoint[]; readonly nowMs: number },
): ExpiryPlan {
  const byId = new Map(points.map((point) => [point.sessionId, point]));
  const names = [...new Set(wanted)].filter((each) => !byId.has(each));
  const single = [...new Set(wanted)].flatMap((each) => byId.get(each) ?? []);
  if (names.length > 0 && rules === undefined)
    throw new GarrisonError("usage", `say what to keep of ${names[0]}, for example --keep-daily 7`);
  if (names.length === 0 && rules !== undefined)
    throw new GarrisonError(
      "usage",
      "the rules to keep apply to names; a restore point named by its id ends",
    );
  for (const name of names) {
    if (!points.some((point) => point.series === name))
      throw new GarrisonError("point-missing", `no restore point has the id or name ${name}`);
  }
  const isAsked = new Set(single.map((point) => point.sessionId));
  const choosable = points.filter((point) => names.includes(point.series) && !isAsked.has(point.sessionId));
  const ruled = rules === undefined ? [] : planExpiry(choosable, rules, nowMs).decisions;
  const asked = single.map((point) => endOrHold(point, "asked for by its id", nowMs));
  return { decisions: [...ruled, ...asked] };
}

function formatPlan(plan: ExpiryPlan): string {
  const rows = plan.decisions.map((decision) => [
    decision.sessionId,
    new Date(decision.createdAtMs).toISOString().replace("T", " ").slice(0, 19),
    decision.series,
    decision.outcome,
    decision.reasons.join(", "),
  ]);
  return formatTable([["POINT", "MADE (UTC)", "NAME", "PLAN", "WHY"], ...rows]);
}
