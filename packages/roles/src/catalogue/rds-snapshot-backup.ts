import type { Grant } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";
import { asOwn } from "./own-tag.ts";

const own: Pick<Grant, "placement" | "caller"> = { placement: "always", caller: "appliance" };
const databases = "arn:${partition}:rds:${region}:${account}:db:*";

/** RDS lets the caller name a snapshot, so the installation's name fences what can be tagged and deleted. */
const ownSnapshots = "arn:${partition}:rds:${region}:${account}:snapshot:garrison-${installation}-*";

export const rdsSnapshotBackup: OperationDefinition = {
  id: "rds.snapshot-backup",
  title: "Take snapshots of a DB instance",
  planned: true,
  grants: [
    {
      ...own,
      id: "db-inventory",
      actions: ["rds:DescribeDBInstances", "rds:ListTagsForResource"],
      resources: [databases],
      step: "read the database",
      why: "Policies choose DB instances by id and tag, and a restore needs what the instance was made of.",
    },
    {
      ...own,
      id: "db-snapshot-state",
      actions: ["rds:DescribeDBSnapshots"],
      resources: [ownSnapshots, databases],
      step: "take snapshots",
      why: "The run follows its snapshot until it is complete.",
    },
    {
      ...own,
      id: "db-snapshot-source",
      actions: ["rds:CreateDBSnapshot"],
      resources: [databases],
      step: "take snapshots",
      why: "Any DB instance that a policy protects can be snapshotted.",
    },
    {
      ...own,
      id: "db-snapshot-create",
      actions: ["rds:CreateDBSnapshot"],
      resources: [ownSnapshots],
      conditions: asOwn,
      step: "take snapshots",
      why: "A snapshot is made only under the installation's name and with its tag.",
    },
    {
      ...own,
      id: "db-snapshot-tags",
      actions: ["rds:AddTagsToResource"],
      resources: [ownSnapshots],
      step: "take snapshots",
      why: "RDS asks for this right when a snapshot is made with tags; only snapshots of the installation's name can be tagged.",
    },
    {
      ...own,
      id: "db-snapshot-delete",
      actions: ["rds:DeleteDBSnapshot"],
      resources: [ownSnapshots],
      step: "remove snapshots",
      why: "Snapshots whose retention has ended are removed; others can't be.",
    },
  ],
};
