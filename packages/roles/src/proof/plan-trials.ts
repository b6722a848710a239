import { statementId } from "../grant.ts";
import type { RoleId } from "../role-definition.ts";
import type { ProofVerdict } from "./proof-record.ts";
import type { ProofSubject } from "./proof-subject.ts";

/** An action that a role was seen to use, and the statement that gave it. */
export interface SeenUse {
  readonly role: RoleId;
  readonly roleArn: string;
  readonly action: string;
  readonly statement: string;
  /** Whether some request was given by this statement and no other. */
  readonly isAlone: boolean;
}

/** What one whole run used, all rights in place. */
export interface ScenarioUse {
  readonly scenario: string;
  /** Actions that are felt here and in no other scenario: tried here even if an earlier one asks for them. */
  readonly tries?: readonly string[];
  readonly uses: readonly SeenUse[];
}

/** One run with one right taken away. */
export interface ProofTrial {
  readonly subject: ProofSubject;
  readonly scenario: string;
  readonly roleArn: string;
  /** The statements that the action is taken out of: the grant's own, and those that give the same requests. */
  readonly statements: readonly string[];
}

/** What needs no trial, since nothing asked for it. */
export interface UntriedAction {
  readonly subject: ProofSubject;
  readonly verdict: Extract<ProofVerdict, "by-contract" | "not-asked">;
}

export interface ProofPlan {
  readonly trials: readonly ProofTrial[];
  readonly untried: readonly UntriedAction[];
}

/**
 * A right that no run asks for can't be necessary, so only those that were asked for are tried, each in the first scenario
 * (they come cheapest first) that needs it, or in the one that says that it tries it.
 */
export function planTrials(subjects: readonly ProofSubject[], runs: readonly ScenarioUse[]): ProofPlan {
  const trials: ProofTrial[] = [];
  const untried: UntriedAction[] = [];
  for (const subject of subjects) {
    const trial = trialOf(subject, runs);
    if (trial === undefined) untried.push({ subject, verdict: untriedVerdict(subject) });
    else trials.push(trial);
  }
  return { trials, untried };
}

function trialOf(subject: ProofSubject, runs: readonly ScenarioUse[]): ProofTrial | undefined {
  const found = runs.flatMap(({ scenario, tries = [], uses }) =>
    uses
      .filter((use) => isOf(subject, use))
      .map((use) => ({ scenario, use, uses, isWanted: tries.includes(use.action) })),
  );
  const chosen =
    found.find(({ isWanted, use }) => isWanted && use.isAlone) ??
    found.find(({ use }) => use.isAlone) ??
    found[0];
  if (chosen === undefined) return undefined;
  const { scenario, use, uses } = chosen;
  const beside = uses.filter(
    (other) => other.roleArn === use.roleArn && other.action === use.action && !isOf(subject, other),
  );
  const statements = [use.statement, ...(use.isAlone ? [] : beside.map(({ statement }) => statement))];
  return { subject, scenario, roleArn: use.roleArn, statements };
}

function isOf({ role, grant, action }: ProofSubject, use: SeenUse): boolean {
  return use.role === role && use.action === action && use.statement === statementId(grant.id);
}

function untriedVerdict({ action, grant }: ProofSubject): UntriedAction["verdict"] {
  const { contract } = grant;
  if (contract === undefined) return "not-asked";
  return contract.actions?.includes(action) === false ? "not-asked" : "by-contract";
}
