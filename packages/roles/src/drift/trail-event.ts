/** One call that CloudTrail recorded, as far as it can explain what was changed in a role. */
export interface TrailEvent {
  readonly id: string;
  /** `PutRolePolicy` */
  readonly name: string;
  readonly atMs: number;
  /** The caller's ARN; of a session it names the role and who took it. */
  readonly who: string;
  /** An address, or the AWS service that made the call for somebody. */
  readonly from?: string;
  readonly hasFailed: boolean;
  /** What the call named. */
  readonly roleName?: string;
  readonly policyArn?: string;
  /** Of an inline policy. */
  readonly policyName?: string;
}
