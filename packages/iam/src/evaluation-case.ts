import type { ConditionValue } from "./policy-document.ts";

/**
 * What decides together; `resource` includes trust policies and key policies. Grants on a KMS key and ACLs of a bucket grant
 * beside the resource's policy; Block Public Access limits what that policy grants.
 */
export type Layer =
  | "identity"
  | "boundary"
  | "session"
  | "resource"
  | "kms-grant"
  | "acl"
  | "public-access-block"
  | "scp"
  | "rcp"
  | "vpc-endpoint";

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

/** A grant on the KMS key that is asked for. */
export interface KmsGrant {
  readonly grantId?: string;
  /** The ARN of a user, role, role session or account, or a service's name. */
  readonly granteePrincipal: string;
  /** Who may retire it, besides a grantee that has the operation `RetireGrant`. */
  readonly retiringPrincipal?: string;
  /** As KMS names them: `Decrypt`, `GenerateDataKey`, `CreateGrant`, ... */
  readonly operations: readonly string[];
  readonly encryptionContextEquals?: Readonly<Record<string, string>>;
  readonly encryptionContextSubset?: Readonly<Record<string, string>>;
  readonly sourceArn?: string;
}

/** The four settings as they hold together for the bucket: the stricter of its own and its account's. */
export interface PublicAccessBlock {
  readonly blockPublicAcls?: boolean;
  readonly ignorePublicAcls?: boolean;
  /** Refuses to store a public policy; who may reach the bucket doesn't change by it (see `isPublicPolicy`). */
  readonly blockPublicPolicy?: boolean;
  readonly restrictPublicBuckets?: boolean;
}

export interface AclGrant {
  /** An account's id, a canonical user id, or one of the two groups. */
  readonly grantee: string;
  readonly permission: "FULL_CONTROL" | "READ" | "WRITE" | "READ_ACP" | "WRITE_ACP";
}

/** What an S3 bucket has besides its policy. */
export interface BucketSettings {
  readonly publicAccessBlock?: PublicAccessBlock;
  /** `BucketOwnerEnforced`, as in every bucket made since April 2023, switches ACLs off. */
  readonly objectOwnership?: "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";
  readonly acl?: readonly AclGrant[];
  /** Of the object that is asked for. */
  readonly objectAcl?: readonly AclGrant[];
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
 * `unknownContext` is absent from the request, except those that follow from the request and are filled in (`derivedKeys`).
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
  readonly kmsGrants?: readonly KmsGrant[];
  readonly bucket?: BucketSettings;
  /** The organisation's management account: SCPs spare its principals, RCPs its resources. */
  readonly managementAccountId?: string;
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
