import type { RoleId } from "./role-definition.ts";

/** How long a session policy is that a task's credentials will be narrowed with. */
export interface SessionPolicySize {
  /** The role that is assumed with it. */
  readonly roleId: RoleId;
  /** What it is for, as words after "to": `write the repository`. */
  readonly title: string;
  readonly characters: number;
}

/** Which chain to walk: who launches what where, and what its rights will be used on. */
export interface ChainRequest {
  /** The launching role of the operations; or the worker, worker-deployment or repository role by itself. */
  readonly roleArn: string;
  /** Which role of the catalogue `roleArn` is. Default: told by its name, otherwise the operations' launching role. */
  readonly roleId?: RoleId;
  /** Operation ids (`ec2.image-backup`). */
  readonly operations: readonly string[];
  /** Where the worker runs. */
  readonly placement: "production" | "backup";
  /** Default: the catalogue's name in the account in which the worker runs. */
  readonly workerRoleArn?: string;
  /** For placement `backup`: who launches there. Default: the catalogue's name in the appliance's account. */
  readonly deploymentRoleArn?: string;
  /** Checked too when it is given. */
  readonly repositoryRoleArn?: string;
  readonly externalId?: string;
  /** External ID of roles in the appliance's own account. Default: the same. */
  readonly backupExternalId?: string;
  /** The repository role's external ID. Default: as for the account that it is in. */
  readonly repositoryExternalId?: string;
  /** The appliance's role or user. Default: whoever asks. */
  readonly applianceArn?: string;
  readonly region: string;
  /** Where the worker is launched: with read rights, the policies of its VPC's endpoints are judged too. */
  readonly subnetId?: string;
  /** The installation's id, as in tags and queue names. Default: any. */
  readonly installation?: string;
  readonly names?: Readonly<Partial<Record<RoleId, string>>>;
  /** ARNs of roles that the restored instance will get. */
  readonly passRoles?: readonly string[];
  readonly bucket?: string;
  readonly bucketPrefix?: string;
  readonly stagingBuckets?: readonly string[];
  readonly repositoryKeyArns?: readonly string[];
  /** Also list what the roles can do beyond the catalogue. */
  readonly withExcess?: boolean;
  /** What the tasks of these operations will be lent: measured against what STS takes. */
  readonly sessionPolicies?: readonly SessionPolicySize[];
}
