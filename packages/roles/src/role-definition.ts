import type { OperationDefinition } from "./operation-definition.ts";

export type RoleId =
  | "appliance"
  | "backup-ec2"
  | "backup-rds"
  | "backup-efs"
  | "restore-ec2"
  | "restore-rds"
  | "restore-efs"
  | "worker"
  | "file-recovery-worker"
  | "worker-configuration"
  | "worker-deployment"
  | "repository"
  | "organization";

/** Who may become a role: the appliance with its external ID, or a service of AWS. */
export type TrustedParty = "appliance" | "ec2" | "backup" | "rds";

/** One role of the catalogue: where it lives, who may become it, what it is for. */
export interface RoleDefinition {
  readonly id: RoleId;
  readonly defaultName: string;
  readonly title: string;
  /** `worker-account`: production, or backup for workers placed there. */
  readonly livesIn: "backup" | "production" | "worker-account" | "bucket-account" | "management-account";
  readonly trusts: readonly TrustedParty[];
  readonly hasInstanceProfile: boolean;
  /** What its rights are made of, planned operations too. */
  readonly operations: readonly OperationDefinition[];
  /** The operations of the product (`ec2.image-backup`) in which this role takes part today. */
  readonly serves: readonly string[];
  /** Those in which it will take part: no code of this release does them. */
  readonly willServe: readonly string[];
}
