/** What asking AWS came to. Nothing here is thrown: a refusal is a result of the check. */
export type Answer<Value> =
  | { readonly outcome: "known"; readonly value: Value }
  | { readonly outcome: "refused" | "missing" | "unreachable"; readonly message: string };

export interface Call {
  readonly signal: AbortSignal;
}

export interface RoleFacts {
  readonly arn: string;
  readonly trust: object;
  readonly maxSessionDurationSeconds?: number;
  readonly boundaryArn?: string;
}

export interface InstanceProfileFacts {
  readonly arn: string;
  readonly name: string;
  /** At most one; with its trust policy, where IAM tells it. */
  readonly roles: readonly { readonly arn: string; readonly trust?: object }[];
}

export interface SimulationRequest {
  /** The role whose rights are asked for; the probe's own role. */
  readonly roleArn: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** The verdict for one action on one resource (IAM's ResourceSpecificResults). */
export interface SimulatedDecision {
  readonly action: string;
  readonly resource: string;
  readonly decision: "allowed" | "explicitDeny" | "implicitDeny";
  /** Where the statements that matched come from; IAM names no organisation policy here. */
  readonly matched: readonly { readonly policy: string; readonly type?: string }[];
  readonly missingContext: readonly string[];
  readonly allowedByOrganization?: boolean;
  readonly allowedByBoundary?: boolean;
}

/** Asks AWS as one role, with the role's own credentials. */
export interface RoleProbe {
  getRole(roleArn: string, call: Call): Promise<Answer<RoleFacts>>;
  listInstanceProfiles(roleArn: string, call: Call): Promise<Answer<readonly InstanceProfileFacts[]>>;
  /** The launching role may read the worker's profile: a second way to its trust when the worker role can't be assumed. */
  getInstanceProfile(name: string, call: Call): Promise<Answer<InstanceProfileFacts>>;
  simulate(request: SimulationRequest, call: Call): Promise<Answer<readonly SimulatedDecision[]>>;
  /** Context keys that the role's IAM policies test; organisation policies are not among them. */
  contextKeys(roleArn: string, call: Call): Promise<Answer<readonly string[]>>;
}

export interface CallerFacts {
  /** As STS tells it: a role session or a user. */
  readonly arn: string;
  readonly accountId: string;
}

/** How the check asks AWS; `aws` implements it over the SDK, tests over policies in memory. */
export interface Prober {
  callerIdentity(call: Call): Promise<Answer<CallerFacts>>;
  /** Really assumes the role, as the appliance will. */
  assume(
    request: { readonly roleArn: string; readonly externalId?: string },
    call: Call,
  ): Promise<Answer<RoleProbe>>;
}
