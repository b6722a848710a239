import { randomFraction, seededRandom, type Random } from "@garrison/core/random";
import { AwsError } from "./aws-error.ts";
import type { ProtocolKind } from "./service-schemas.ts";

/** The last four let the call happen and spoil its answer: lost, cut off in its middle, arriving in small pieces, a byte of it changed. */
export type FaultKind =
  | "throttle"
  | "error500"
  | "error503"
  | "timeout"
  | "drop"
  | "expired"
  | "latency"
  | "conflict"
  | "lost"
  | "cut"
  | "slow"
  | "corrupt";

/** A rule that makes some calls go wrong. The first rule that matches a call decides. */
export interface FaultRule {
  readonly id: string;
  /** Signing name; absent: every service. */
  readonly service?: string;
  readonly operation?: string;
  readonly fault: FaultKind;
  /** Share of the matching calls that it hits, 0 to 1 (default 1), drawn from `seed`. */
  readonly probability?: number;
  readonly seed?: string;
  /** Matching calls that pass before the rule begins. */
  readonly skip?: number;
  /** How many calls it hits before it is spent; absent: no end. */
  readonly count?: number;
  /** `latency`: how long the call is held. `slow`: how long the answer takes to arrive. Default: a second. */
  readonly latencyMs?: number;
}

export interface Faults {
  add(rule: Omit<FaultRule, "id">): FaultRule;
  clear(): void;
  list(): readonly (FaultRule & { readonly hits: number })[];
  /** The fault that this call meets, if any; counts it. */
  next(service: string, operation: string): FaultRule | undefined;
}

interface ActiveRule {
  readonly rule: FaultRule;
  readonly random: Random;
  seen: number;
  hits: number;
}

/** Rules live in memory only: a restarted lab is a healthy one. */
export function openFaults(): Faults {
  let rules: ActiveRule[] = [];
  let made = 0;
  return {
    add(given) {
      const rule = { ...given, id: `fault-${++made}` };
      rules.push({ rule, random: seededRandom(given.seed ?? rule.id), seen: 0, hits: 0 });
      return rule;
    },
    clear() {
      rules = [];
    },
    list: () => rules.map(({ rule, hits }) => ({ ...rule, hits })),
    next(service, operation) {
      if (rules.length === 0) return undefined;
      return rules.find((active) => strikes(active, service, operation))?.rule;
    },
  };
}

function strikes(active: ActiveRule, service: string, operation: string): boolean {
  const { rule } = active;
  if ((rule.service ?? service) !== service || (rule.operation ?? operation) !== operation) return false;
  active.seen += 1;
  if (active.seen <= (rule.skip ?? 0) || active.hits >= (rule.count ?? Infinity)) return false;
  if (rule.probability !== undefined && randomFraction(active.random) >= rule.probability) return false;
  active.hits += 1;
  return true;
}

const throttleCodes: Readonly<Record<ProtocolKind, readonly [string, number]>> = {
  "ec2-query": ["RequestLimitExceeded", 503],
  query: ["Throttling", 400],
  json: ["ThrottlingException", 400],
  "rest-json": ["RequestThrottledException", 400],
  "rest-xml": ["SlowDown", 503],
  "plain-json": ["ThrottlingException", 400],
};

const internalCodes: Readonly<Record<ProtocolKind, string>> = {
  "ec2-query": "InternalError",
  query: "InternalFailure",
  json: "InternalFailure",
  "rest-json": "InternalServerException",
  "rest-xml": "InternalError",
  "plain-json": "InternalFailure",
};

export function throttled(kind: ProtocolKind): AwsError {
  const [code, status] = throttleCodes[kind];
  return new AwsError(code, "Rate exceeded", { status });
}

/** What AWS says when it is at fault itself. */
export function internalFailure(kind: ProtocolKind, status = 500): AwsError {
  return new AwsError(
    status === 503 ? "ServiceUnavailable" : internalCodes[kind],
    "An internal error has occurred",
    { status },
  );
}
