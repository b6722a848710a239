/** One role as IAM holds it now, with everything that a repair could change or has to leave alone. */
export interface HeldRole {
  readonly roleArn: string;
  readonly trust: object;
  /** Name -> document. */
  readonly inlinePolicies: Readonly<Record<string, object>>;
  readonly attachedPolicies: readonly HeldPolicy[];
  readonly boundary?: HeldPolicy;
  /** Those that hold the role and, where it exists, the one that is named as the role. */
  readonly instanceProfiles: readonly HeldProfile[];
}

export interface HeldPolicy {
  readonly arn: string;
  readonly document: object;
}

export interface HeldProfile {
  readonly name: string;
  readonly roleNames: readonly string[];
}
