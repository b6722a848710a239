import type { NamedPolicy, OrganizationLevel } from "@garrison/iam/evaluation-case";
import type { Answer, Call } from "./prober.ts";

/** Every IAM policy that decides about a role, as far as it could be read. */
export interface CollectedPolicies {
  readonly roleArn: string;
  readonly trust: object;
  readonly identityPolicies: readonly NamedPolicy[];
  readonly permissionBoundaries?: readonly NamedPolicy[];
  readonly serviceControlPolicies?: readonly OrganizationLevel[];
  readonly resourceControlPolicies?: readonly OrganizationLevel[];
  /** Layers that exist but could not be read, as words (`organisation policies`). */
  readonly gaps: readonly string[];
}

/**
 * Reads IAM policies with somebody's read rights (an operator's, never a Garrison role's): turns "an organisation policy
 * denies" into the statement that does.
 */
export interface PolicyReader {
  collect(roleArn: string, call: Call): Promise<Answer<CollectedPolicies>>;
}
