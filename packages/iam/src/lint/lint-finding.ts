/** `error`: AWS refuses it, or it can't do what it says; `warning`: it does something, hardly what was meant. */
export type LintSeverity = "error" | "warning";

export type LintCode =
  | "action-denied-anyway"
  | "action-fits-no-resource"
  | "action-needs-star"
  | "allow-everything"
  | "allow-not-action"
  | "allow-not-principal"
  | "condition-key-of-no-action"
  | "condition-key-of-some-actions"
  | "condition-value"
  | "contained-statement"
  | "duplicate-sid"
  | "element-of-kind"
  | "empty-list"
  | "grammar"
  | "operator-for-type"
  | "oversize"
  | "resource-fits-no-action"
  | "set-operator"
  | "unknown-action"
  | "unknown-condition-key"
  | "unknown-operator"
  | "unknown-service"
  | "unreachable-statement"
  | "version-missing"
  | "wildcard-matches-nothing";

export interface LintFinding {
  readonly code: LintCode;
  readonly severity: LintSeverity;
  /** `Statement[0].Action`; empty for the policy as a whole. */
  readonly where: string;
  readonly sid?: string;
  /** What is wrong and what to do, as a sentence without its full stop. */
  readonly message: string;
  /** The word that was probably meant. */
  readonly suggestion?: string;
}
