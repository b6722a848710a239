import { GarrisonError } from "@garrison/core/garrison-error";
import { dayMs } from "@garrison/core/units";

/** What a series keeps. Rules add up: a point stays as long as one of them wants it. */
export interface RetentionRules {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  /** Everything made within this time before the newest point of the series. */
  readonly withinMs?: number;
}

export interface ExpirablePoint {
  readonly sessionId: string;
  readonly series: string;
  readonly createdAtMs: number;
  /** It was promised that nobody can delete it before. */
  readonly promisedUntilMs?: number;
}

export interface ExpiryDecision {
  readonly sessionId: string;
  readonly series: string;
  readonly createdAtMs: number;
  /** `hold`: no rule keeps it, but a promise does until `heldUntilMs`. */
  readonly outcome: "keep" | "end" | "hold";
  readonly heldUntilMs?: number;
  /** Each rule that keeps it, or why it ends or would end. */
  readonly reasons: readonly string[];
}

export interface ExpiryPlan {
  /** By series, newest first. */
  readonly decisions: readonly ExpiryDecision[];
}

const hourMs = dayMs / 24;
// 1 January 1970 was a Thursday; weeks begin on Monday.
const daysBeforeFirstWeek = 3;

type PeriodName = "hourly" | "daily" | "weekly" | "monthly" | "yearly";

/** The period of UTC that a time lies in, as people write it. */
const periods: Readonly<Record<PeriodName, (timeMs: number) => string>> = {
  hourly: (timeMs) => isoOf(Math.floor(timeMs / hourMs) * hourMs, 16),
  daily: (timeMs) => isoOf(timeMs, 10),
  weekly: (timeMs) => {
    const week = Math.floor((Math.floor(timeMs / dayMs) + daysBeforeFirstWeek) / 7);
    return isoOf((week * 7 - daysBeforeFirstWeek) * dayMs, 10);
  },
  monthly: (timeMs) => isoOf(timeMs, 7),
  yearly: (timeMs) => isoOf(timeMs, 4),
};

function isoOf(timeMs: number, characters: number): string {
  return new Date(timeMs).toISOString().slice(0, characters);
}

/**
 * Which points end by the rules, and why each other one stays. Of each period a rule counts, the newest point is kept; the
 * newest point of a series never ends. Times are those of the points themselves: when backups stop, nothing more ends.
 * What was promised to stay is held until its date, by `nowMs`. Throws `usage` when the rules would keep nothing.
 */
export function planExpiry(
  points: readonly ExpirablePoint[],
  rules: RetentionRules,
  nowMs: number,
): ExpiryPlan {
  requireRules(rules);
  const series = new Map<string, ExpirablePoint[]>();
  for (const point of points) {
    const known = series.get(point.series);
    if (known === undefined) series.set(point.series, [point]);
    else known.push(point);
  }
  const names = [...series.keys()].sort();
  return { decisions: names.flatMap((name) => planSeries(series.get(name)!, rules, nowMs)) };
}

function requireRules(rules: RetentionRules): void {
  const given = Object.entries(rules).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    if (Number.isSafeInteger(value) && value >= 0) continue;
    throw new GarrisonError("usage", `the rule ${name} is a whole number, not ${value}`);
  }
  if (given.some(([, value]) => value > 0)) return;
  throw new GarrisonError("usage", "no rule says what to keep");
}

/** That a point is to end, or is held by its promise. */
export function endOrHold(point: ExpirablePoint, reason: string, nowMs: number): ExpiryDecision {
  const { sessionId, series, createdAtMs, promisedUntilMs = 0 } = point;
  const decision = { sessionId, series, createdAtMs };
  if (promisedUntilMs <= nowMs) return { ...decision, outcome: "end", reasons: [reason] };
  const held = `held until ${isoOf(promisedUntilMs, 16)}: that was promised`;
  return { ...decision, outcome: "hold", heldUntilMs: promisedUntilMs, reasons: [reason, held] };
}

function planSeries(
  points: readonly ExpirablePoint[],
  rules: RetentionRules,
  nowMs: number,
): ExpiryDecision[] {
  const newestFirst = points.toSorted(
    (left, right) => right.createdAtMs - left.createdAtMs || (left.sessionId < right.sessionId ? 1 : -1),
  );
  const newest = newestFirst[0]!;
  const counted = new Map<PeriodName, string[]>();
  return newestFirst.map((point, index) => {
    const { sessionId, series, createdAtMs } = point;
    const reasons = [
      ...(point === newest ? ["the newest of its series"] : []),
      ...(index < (rules.last ?? 0) ? [`last ${index + 1} of ${rules.last}`] : []),
      ...(isWithin(newest.createdAtMs - createdAtMs, rules) ? ["within the time to keep"] : []),
      ...countPeriods(counted, createdAtMs, rules),
    ];
    if (reasons.length === 0) return endOrHold(point, "no rule keeps it", nowMs);
    return { sessionId, series, createdAtMs, outcome: "keep", reasons };
  });
}

function isWithin(ageMs: number, rules: RetentionRules): boolean {
  return rules.withinMs !== undefined && rules.withinMs > 0 && ageMs <= rules.withinMs;
}

/** Points come newest first: the first one of a period is the one to keep. */
function countPeriods(
  counted: Map<PeriodName, string[]>,
  createdAtMs: number,
  rules: RetentionRules,
): string[] {
  const reasons: string[] = [];
  for (const name of Object.keys(periods) as PeriodName[]) {
    const wanted = rules[name] ?? 0;
    const seen = counted.get(name) ?? [];
    const period = periods[name](createdAtMs);
    if (seen.length >= wanted || seen.at(-1) === period) continue;
    counted.set(name, [...seen, period]);
    reasons.push(`${name} ${seen.length + 1} of ${wanted} (${period})`);
  }
  return reasons;
}
