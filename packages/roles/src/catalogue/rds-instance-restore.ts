import type { Grant } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";
import { asOwn } from "./own-tag.ts";

const own: Pick<Grant, "placement" | "caller"> = { placement: "always", caller: "appliance" };
const rds = "arn:${partition}:rds:${region}:${account}";

/** Restored under a name of the installation, checked, and renamed at hand-over: what can be deleted is told by the name. */
const ownDatabases = `${rds}:db:garrison-\${installation}-*`;
const ownSnapshots = `${rds}:snapshot:garrison-\${installation}-*`;

export const rdsInstanceRestore: OperationDefinition = {
  id: "rds.instance-restore",
  title: "Restore a DB instance from a snapshot",
  planned: true,
  grants: [
    {
      ...own,
      id: "db-restore-inventory",
      actions: ["rds:DescribeDBInstances", "rds:DescribeDBSnapshots"],
      resources: [`${rds}:db:*`, ownSnapshots],
      step: "plan the restore",
      why: "The restore looks whether the name is free and follows the new DB instance until it is available.",
    },
    {
      ...own,
      id: "db-restore-create",
      actions: ["rds:RestoreDBInstanceFromDBSnapshot"],
      resources: [ownDatabases],
      conditions: asOwn,
      step: "restore the DB instance",
      why: "The DB instance is made under a name of the installation and with its tag, so that an undo can remove it and nothing else.",
    },
    {
      ...own,
      id: "db-restore-parts",
      actions: ["rds:RestoreDBInstanceFromDBSnapshot"],
      resources: [ownSnapshots, `${rds}:og:*`, `${rds}:pg:*`, `${rds}:subgrp:*`],
      step: "restore the DB instance",
      why: "It comes from a snapshot of this installation and gets the option group, parameter group and subnets that it had or that the user chose.",
    },
    {
      ...own,
      id: "db-restore-tags",
      actions: ["rds:AddTagsToResource", "rds:RemoveTagsFromResource"],
      resources: [ownDatabases],
      step: "restore the DB instance",
      why: "RDS asks for this right when an instance is made with tags; Garrison's own are taken off at hand-over.",
    },
    {
      ...own,
      id: "db-restore-hand-over",
      actions: ["rds:ModifyDBInstance"],
      resources: [ownDatabases, `${rds}:og:*`, `${rds}:pg:*`],
      step: "hand over the DB instance",
      why: "The restored DB instance gets its settings and, last, its real name; from then on no right of this role reaches it.",
    },
    {
      ...own,
      id: "db-restore-undo",
      actions: ["rds:DeleteDBInstance"],
      resources: [ownDatabases],
      step: "remove what the restore made",
      why: "A restore that failed removes its own DB instance; no other can be deleted.",
    },
    {
      ...own,
      id: "db-restore-key",
      actions: ["kms:DescribeKey"],
      resources: ["arn:${partition}:kms:${region}:${account}:key/*"],
      conditions: { StringLike: { "kms:ViaService": "rds.${region}.${dnsSuffix}" } },
      step: "restore the DB instance",
      why: "RDS looks at the key of an encrypted snapshot in the caller's name.",
      neededWhen: "the snapshot is encrypted under a key of the owner",
    },
    {
      ...own,
      id: "db-restore-key-grants",
      actions: ["kms:CreateGrant"],
      resources: ["arn:${partition}:kms:${region}:${account}:key/*"],
      conditions: {
        Bool: { "kms:GrantIsForAWSResource": "true" },
        StringLike: { "kms:ViaService": "rds.${region}.${dnsSuffix}" },
      },
      step: "restore the DB instance",
      why: "RDS opens encrypted storage with a grant on its key; only RDS can be given one, and only for its own resources.",
      neededWhen: "the snapshot is encrypted under a key of the owner",
    },
    {
      ...own,
      id: "db-restore-first-use",
      actions: ["iam:CreateServiceLinkedRole"],
      resources: ["arn:${partition}:iam::${account}:role/aws-service-role/rds.amazonaws.com/*"],
      conditions: { StringEquals: { "iam:AWSServiceName": "rds.amazonaws.com" } },
      step: "restore the DB instance",
      why: "RDS makes its own role in an account when its first DB instance is made there; no other role can be made.",
      neededWhen: "the account has never had a DB instance",
    },
  ],
};
