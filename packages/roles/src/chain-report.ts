import type { ExplanationTree } from "@garrison/iam/explanation-tree";
import type { PolicyPatch } from "@garrison/iam/policy-patch";

/** The outcome of walking a role chain, link by link; the same data is printed, served and shown as a picture. */

export type Verdict = "passed" | "failed" | "unknown";

/** The links in the order they are walked (design: roles, section Check). */
export type LinkName =
  | "assume-role"
  | "trust-policy"
  | "instance-profile"
  | "ec2-trust"
  | "pass-role"
  | "grants"
  | "limits"
  | "external-id-required";

export interface StatementOrigin {
  /** `identity`, `boundary`, `session`, `resource`, `trust`, `scp`, `rcp`, `vpc-endpoint` */
  readonly layer: string;
  readonly policy: string;
  readonly sid?: string;
  readonly statementIndex?: number;
  readonly accountId?: string;
  /** Where an organisation policy is attached: root, organisational unit or account. */
  readonly attachedTo?: string;
}

export interface LinkFinding {
  readonly link: LinkName;
  /** The ARN of the role that the link is about. */
  readonly subject: string;
  readonly verdict: Verdict;
  /** One sentence a person acts on; made by the evaluator's explanation where a policy decided. */
  readonly sentence: string;
  /** How it is known: `executed`, `simulated`, `evaluated`, `read`. */
  readonly knownBy: readonly string[];
  /** Nothing is wrong, but a run says it too: it may explain a later refusal. */
  readonly isNotice?: true;
  readonly action?: string;
  readonly resource?: string;
  /** The statement that denies, or the policy in which an allow is missing. */
  readonly statement?: StatementOrigin;
  /** The smallest IAM policy statement or trust statement that mends it. */
  readonly fix?: Readonly<Record<string, unknown>>;
  /** The same as changes of documents, each for its owner; all of them together mend it. `resource` is a trust policy too. */
  readonly patches?: readonly PolicyPatch[];
  /** What was weighed, where the policies could be read: for a screen. */
  readonly tree?: ExplanationTree;
}

/** A right that the role has and its operations don't need. */
export interface Excess {
  readonly subject: string;
  /** `alarm`: a worker role could do harm with it. `beyond`: nothing of ours needs it. `wide`: needed, but not everywhere. */
  readonly kind: "alarm" | "beyond" | "wide";
  readonly action: string;
  readonly resource: string;
  readonly sentence: string;
  readonly knownBy: readonly string[];
  readonly statement?: StatementOrigin;
}

export interface ChainReport {
  readonly verdict: Verdict;
  readonly operations: readonly string[];
  readonly placement: "production" | "backup";
  readonly findings: readonly LinkFinding[];
  /** What the roles can do beyond the catalogue; present when it was asked for. */
  readonly excess?: readonly Excess[];
}
