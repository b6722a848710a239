import type { NamedPolicy, OrganizationLevel } from "@garrison/iam/evaluation-case";
import type { Answer, Call } from "./prober.ts";

/** Every IAM policy that decides about a role, as far as it could be read. */
export interface CollectedPolicies {
  readonly roleArn: string;
  readonly trust: object;
  /** Inline ones by their name, attached ones by their ARN. */
  readonly identityPolicies: readonly NamedPolicy[];
  readonly permissionBoundaries?: readonly NamedPolicy[];
  readonly serviceControlPolicies?: readonly OrganizationLevel[];
  readonly resourceControlPolicies?: readonly OrganizationLevel[];
  /** The organisation's id (`o-...`), which AWS fills into every request. */
  readonly organizationId?: string;
  /** Layers that exist but could not be read, as words (`organisation policies`). */
  readonly gaps: readonly string[];
}

/** How much an account may hold, and how much it holds (IAM's account summary). */
export interface AccountLimits {
  readonly trustPolicyCharacters: number;
  readonly inlinePolicyCharacters: number;
  readonly managedPolicyCharacters: number;
  readonly attachedPoliciesPerRole: number;
  readonly roles: { readonly used: number; readonly most: number };
  readonly instanceProfiles: { readonly used: number; readonly most: number };
}

/** Policies of VPC endpoints by the service that they lead to (`sqs`, `ssmmessages`). */
export type EndpointPolicies = Readonly<Record<string, NamedPolicy>>;

/**
 * Reads IAM policies with somebody's read rights (an operator's, never a Garrison role's): turns "an organisation policy
 * denies" into the statement that does.
 */
export interface PolicyReader {
  collect(roleArn: string, call: Call): Promise<Answer<CollectedPolicies>>;
  /** The own policy of a bucket or key, by its ARN; without a value it has none. */
  readResourcePolicy(
    arn: string,
    owner: { readonly accountId: string },
    call: Call,
  ): Promise<Answer<object | undefined>>;
  /** What the endpoints of a subnet's VPC let through. */
  readEndpointPolicies(
    place: { readonly accountId: string; readonly subnetId: string },
    call: Call,
  ): Promise<Answer<EndpointPolicies>>;
  readAccountLimits(accountId: string, call: Call): Promise<Answer<AccountLimits>>;
}
