import type { ConditionValue } from "./policy-document.ts";

/** The kinds of IAM policies that decide together; `resource` includes trust policies and key policies. */
export type Layer = "identity" | "boundary" | "session" | "resource" | "scp" | "rcp" | "vpc-endpoint";

export type Decision = "Allowed" | "ExplicitlyDenied" | "ImplicitlyDenied" | "Unknown";

export interface NamedPolicy {
  readonly name?: string;
  /** The document as JSON, not text. It is compiled once for each object, so callers keep and pass the same object. */
  readonly policy: object;
}

/** One level of the path from the organisation's root to the account; every level has to allow. */
export interface OrganizationLevel {
  readonly orgIdentifier: string;
  readonly policies: readonly NamedPolicy[];
}

export type ContextValue = ConditionValue | readonly ConditionValue[];

export interface EvaluationRequest {
  readonly action: string;
  readonly resource: { readonly resource: string; readonly accountId: string };
  /** An ARN (user, role, role session, root, identity provider), a service's name, or nobody. */
  readonly principal: string | { readonly type: "Anonymous" };
  readonly context?: Readonly<Record<string, ContextValue>>;
}

/**
 * One question: may this principal do this to that? A layer that is absent does not apply; `permissionBoundaries: []` or an
 * organisation level with `policies: []` allows nothing. A context key that is neither in `context` nor in
 * `unknownContext` is absent from the request, except `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalType`
 * and `aws:ResourceAccount`, which follow from the request and are filled in.
 */
export interface EvaluationCase {
  readonly name?: string;
  readonly request: EvaluationRequest;
  readonly identityPolicies?: readonly NamedPolicy[];
  readonly permissionBoundaries?: readonly NamedPolicy[];
  readonly sessionPolicy?: object;
  readonly resourcePolicy?: object;
  readonly serviceControlPolicies?: readonly OrganizationLevel[];
  readonly resourceControlPolicies?: readonly OrganizationLevel[];
  readonly vpcEndpointPolicies?: readonly NamedPolicy[];
  /** Keys whose values are not known: present or not, and with what. */
  readonly unknownContext?: readonly string[];
}

export interface MatchedStatement {
  readonly layer: Layer;
  readonly policy: string;
  /** The organisation level, for `scp` and `rcp`. */
  readonly orgIdentifier?: string;
  readonly sid?: string;
  /** The statement's place in its policy, from 0. */
  readonly index: number;
  readonly effect: "Allow" | "Deny";
  /** Whether the statement applies only for some values of the unknown context. */
  readonly unknown?: true;
}

/** What a layer says by itself; `not-applicable` layers have no say. */
export interface LayerVerdict {
  readonly layer: Layer;
  readonly verdict: "allows" | "denies" | "does-not-allow" | "unknown" | "not-applicable";
  /** The organisation levels that do not (certainly) allow, for `scp` and `rcp`. */
  readonly closedLevels?: readonly string[];
}

export interface EvaluationResult {
  readonly decision: Decision;
  /** The layers that deny, or whose silence denies, or on which an unknown decision hangs; empty if allowed. */
  readonly blockedBy: readonly Layer[];
  readonly matched: readonly MatchedStatement[];
  /** Context keys, absent or unknown, on which a decision other than `Allowed` depends. */
  readonly missingContext: readonly string[];
  readonly layers: readonly LayerVerdict[];
}
