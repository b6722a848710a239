import type { ProvenAction } from "./proof-record.ts";

/** What a run or a check showed when it had ended. */
export interface ScenarioOutcome {
  readonly status: "succeeded" | "failed";
  /** Everything that it said: failure, steps, findings. */
  readonly said: string;
  /** What is there afterwards and would not be with all rights. */
  readonly leftBehind?: readonly string[];
  /** Actions that roles were denied meanwhile, as `roleArn action`. */
  readonly denied: ReadonlySet<string>;
}

export interface JudgedTrial {
  readonly roleArn: string;
  readonly action: string;
  readonly isCheck: boolean;
  /** How the scenario ends with all rights. */
  readonly expected: ScenarioOutcome["status"];
  readonly outcome: ScenarioOutcome;
}

type Judgement = Pick<ProvenAction, "verdict" | "effect" | "namedBy">;

/** Whether the absence of a right was felt: the call was denied, and what ran was not what it would have been. */
export function judgeTrial({ roleArn, action, isCheck, expected, outcome }: JudgedTrial): Judgement {
  const { status, said, denied, leftBehind = [] } = outcome;
  const isNamed = said.includes(action);
  const effect = effectOf({
    isFailed: expected === "succeeded" && status === "failed",
    isCheck,
    leavesSomething: leftBehind.length > 0,
    said,
    action,
  });
  const isFelt = denied.has(`${roleArn} ${action}`) && effect !== undefined;
  if (!isFelt) return { verdict: "superfluous" };
  return { verdict: "necessary", effect, namedBy: isNamed ? "run" : "call-log" };
}

interface Felt {
  readonly isFailed: boolean;
  readonly isCheck: boolean;
  readonly leavesSomething: boolean;
  readonly said: string;
  readonly action: string;
}

function effectOf({ isFailed, isCheck, leavesSomething, said, action }: Felt): ProvenAction["effect"] {
  if (isFailed) return isCheck ? "check-fails" : "run-fails";
  if (leavesSomething) return "left-behind";
  const lines = said.split("\n").filter((line) => line.includes(action));
  if (lines.some((line) => line.includes("is left to the sweeper"))) return "left-behind";
  return lines.length > 0 ? "said" : undefined;
}
