import type { ProvenAction } from "./proof-record.ts";

/** What a run or a check showed when it had ended. */
export interface ScenarioOutcome {
  readonly status: "succeeded" | "failed";
  /** Everything that it said: failure, steps, findings. */
  readonly said: string;
  /** The step in which it failed, and by which of our errors. */
  readonly failedAt?: string;
  /** What is there afterwards and would not be with all rights. */
  readonly leftBehind?: readonly string[];
  /** What it does with all rights and did not do now: `read only what changed`. */
  readonly shortOf?: readonly string[];
  /** Calls that roles were denied meanwhile. */
  readonly refusals: readonly Refusal[];
}

export interface Refusal {
  readonly roleArn: string;
  readonly action: string;
  /** Of the first such call. */
  readonly resource: string;
}

export interface JudgedTrial {
  readonly roleArn: string;
  readonly action: string;
  readonly isCheck: boolean;
  /** How the scenario ends with all rights. */
  readonly expected: ScenarioOutcome["status"];
  readonly outcome: ScenarioOutcome;
  /** What is refused with all rights too: a role that is asked before the one that may, for instance. */
  readonly usual: readonly Pick<Refusal, "roleArn" | "action">[];
}

type Judgement = Pick<ProvenAction, "verdict" | "effect" | "namedBy" | "shortOf" | "reason">;

/** Whether the absence of a right was felt: the call was denied, and what ran was not what it would have been. */
export function judgeTrial(trial: JudgedTrial): Judgement {
  const { action, outcome, roleArn, usual } = trial;
  const isRefused = outcome.refusals.some((one) => one.roleArn === roleArn && one.action === action);
  const effect = effectOf(trial);
  if (!isRefused || effect === undefined) {
    const reason = [isRefused ? unfelt(trial) : unasked(trial), ...listRefusals(outcome, usual)].join("\n");
    return { verdict: "superfluous", reason };
  }
  const namedBy = outcome.said.includes(action) ? "run" : "call-log";
  const { shortOf = [] } = outcome;
  return { verdict: "necessary", effect, namedBy, ...(effect === "falls-short" ? { shortOf } : {}) };
}

function effectOf({ action, expected, isCheck, outcome }: JudgedTrial): ProvenAction["effect"] {
  const { leftBehind = [], said, shortOf = [], status } = outcome;
  if (expected === "succeeded" && status === "failed") return isCheck ? "check-fails" : "run-fails";
  if (leftBehind.length > 0) return "left-behind";
  const lines = said.split("\n").filter((line) => line.includes(action));
  if (lines.some((line) => line.includes("is left to the sweeper"))) return "left-behind";
  if (shortOf.length > 0) return "falls-short";
  return lines.length > 0 ? "said" : undefined;
}

function unfelt({ action, outcome }: JudgedTrial): string {
  return `${action} was refused, and yet it ${endOf(outcome)} as with all rights, left nothing behind and did not name the action.`;
}

function unasked({ action, outcome, roleArn }: JudgedTrial): string {
  return `${action} was taken from ${roleArn}, and this time nothing asked for it; it ${endOf(outcome)}.`;
}

function endOf({ failedAt, status }: ScenarioOutcome): string {
  return status === "succeeded" || failedAt === undefined ? status : `failed (${failedAt})`;
}

/** One line for each call that was denied, whoever is at fault. */
export function listRefusals(
  { refusals }: ScenarioOutcome,
  usual: JudgedTrial["usual"] = [],
): readonly string[] {
  return refusals
    .filter((one) => !usual.some(({ action, roleArn }) => action === one.action && roleArn === one.roleArn))
    .map(({ action, resource, roleArn }) => `refused: ${action} on ${resource}, to ${roleArn}`);
}
