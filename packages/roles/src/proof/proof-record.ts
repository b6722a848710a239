import type { RoleId } from "../role-definition.ts";

/**
 * - `necessary`: without it a run that passes otherwise fails, or leaves something behind, or tells less; that was tried.
 * - `by-contract`: a document of AWS's asks for it; nothing in the lab does.
 * - `not-asked`: no scenario asks for it.
 * - `superfluous`: tried, and everything passed without it.
 * - `undecided`: the trial could not be made, or the proof was stopped before it.
 */
export type ProofVerdict = "necessary" | "by-contract" | "not-asked" | "superfluous" | "undecided";

/** What was found out about one action of one grant of one role, in the scoped form. */
export interface ProvenAction {
  readonly role: RoleId;
  readonly operation: string;
  readonly grant: string;
  readonly action: string;
  /** Of the right as it was proven: another one has to be proven again. */
  readonly digest: string;
  readonly verdict: ProofVerdict;
  /** Of what is not proven: what was tried, what was refused and where, and how it ended all the same. */
  readonly reason?: string;
  /** The scenario in which it was taken away. */
  readonly scenario?: string;
  /**
   * What its absence did: the run failed, its check did, something was left behind, something was not done that is done
   * otherwise, or the run only says so.
   */
  readonly effect?: "run-fails" | "check-fails" | "left-behind" | "falls-short" | "said";
  /** What was not done: `read only what changed`. */
  readonly shortOf?: readonly string[];
  /** Who names the missing action: the run or check itself, or only the account's call log (CloudTrail, on AWS). */
  readonly namedBy?: "run" | "call-log";
  /** Other grants of the role that give the same request: the action was taken out of all of them. */
  readonly sharedWith?: readonly string[];
  /** What the same request was denied for: another account, another installation's tag, ... */
  readonly deniedElsewhere?: readonly string[];
  /** What it was allowed for though it should not be. */
  readonly allowedElsewhere?: readonly string[];
}

/** One scenario with every right of the roles' documents. */
export interface SufficientRun {
  readonly operation: string;
  readonly form: "scoped" | "compatible";
  readonly scenario: string;
  readonly isSufficient: boolean;
  readonly durationMs: number;
  /** Why it was not sufficient. */
  readonly reason?: string;
}

/** The result of `garrison roles prove`, as it is checked in. */
export interface ProofRecord {
  /** What each scenario is about, by its id. */
  readonly scenarios: Readonly<Record<string, string>>;
  readonly sufficient: readonly SufficientRun[];
  readonly actions: readonly ProvenAction[];
}
