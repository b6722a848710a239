import type { OperationDefinition } from "./operation-definition.ts";

export type RoleId =
  | "appliance"
  | "backup-ec2"
  | "restore-ec2"
  | "worker"
  | "worker-deployment"
  | "repository";

/** One role of the catalogue: where it lives, who may become it, what it is for. */
export interface RoleDefinition {
  readonly id: RoleId;
  readonly defaultName: string;
  readonly title: string;
  /** `worker-account`: production, or backup for workers placed there. */
  readonly livesIn: "backup" | "production" | "worker-account" | "bucket-account";
  readonly trusts: readonly ("appliance" | "ec2")[];
  readonly hasInstanceProfile: boolean;
  /** What its rights are made of. */
  readonly operations: readonly OperationDefinition[];
  /** The operations of the product (`ec2.image-backup`) in which this role takes part. */
  readonly serves: readonly string[];
}
