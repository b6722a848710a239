/** Who signed a call. */
export interface CallerPrincipal {
  readonly type: "user" | "role-session" | "root" | "anonymous";
  readonly accountId: string;
  /** `arn:aws:iam::…:user/x`, `arn:aws:sts::…:assumed-role/role/session`, `arn:aws:iam::…:root`. */
  readonly arn: string;
  /** As GetCallerIdentity's UserId: `AIDA…`, `AROA…:session`, the account for root. */
  readonly userId: string;
  readonly accessKeyId: string;
  readonly userName?: string;
  readonly roleName?: string;
  readonly roleArn?: string;
  readonly sessionName?: string;
  /** The instance, when the session came from an instance profile. */
  readonly instanceId?: string;
  /** Tags of the user or role with the session's on top: aws:PrincipalTag/*. */
  readonly tags: Readonly<Record<string, string>>;
  /** The stored session; absent for long-term keys. */
  readonly session?: StoredSession;
}

/** Temporary credentials; kept in the journal so that they outlive a restart of the lab. */
export interface StoredSession {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly accountId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** Role sessions. The role's unique id: a session of a deleted and re-created role has no rights. */
  readonly roleId?: string;
  readonly roleName?: string;
  readonly sessionName?: string;
  /** GetSessionToken sessions. */
  readonly userName?: string;
  readonly sessionPolicies?: readonly { readonly name: string; readonly document: string }[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly transitiveTagKeys?: readonly string[];
  readonly sourceIdentity?: string;
  readonly mfa?: boolean;
  readonly instance?: InstanceOrigin;
}

/** Where credentials from an instance profile were issued: ec2:SourceInstanceARN and aws:Ec2InstanceSource*. */
export interface InstanceOrigin {
  readonly instanceId: string;
  readonly region: string;
  readonly vpcId?: string;
  readonly privateIp?: string;
}
