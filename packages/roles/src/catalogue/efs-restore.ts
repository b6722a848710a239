import type { Grant } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";
import { passToBackup } from "./efs-backup.ts";
import { onOwn } from "./own-tag.ts";

const own: Pick<Grant, "placement" | "caller"> = { placement: "always", caller: "appliance" };
const fileSystems = "arn:${partition}:elasticfilesystem:${region}:${account}:file-system/*";
const recoveryPoints = "arn:${partition}:backup:${region}:${account}:recovery-point:*";
const newOne = "files go to a new file system";

const jobs: readonly Grant[] = [
  {
    ...own,
    id: "efs-restore-inventory",
    actions: ["elasticfilesystem:DescribeFileSystems"],
    resources: [fileSystems],
    step: "plan the restore",
    why: "The restore looks at the file system that gets the files.",
  },
  {
    ...own,
    id: "efs-restore-points",
    actions: [
      "backup:DescribeRecoveryPoint",
      "backup:GetRecoveryPointRestoreMetadata",
      "backup:StartRestoreJob",
    ],
    resources: [recoveryPoints],
    conditions: onOwn,
    step: "start the job",
    why: "Only recovery points of this installation are restored.",
  },
  passToBackup("efs-restore-pass-itself"),
  {
    ...own,
    id: "efs-restore-state",
    actions: ["backup:DescribeRestoreJob"],
    resources: ["*"],
    step: "follow the job",
    why: "The run follows its job; AWS Backup offers no narrower resource for jobs.",
  },
];

const service: readonly Grant[] = [
  {
    placement: "always",
    caller: "service",
    id: "efs-service-restore",
    actions: ["elasticfilesystem:DescribeFileSystems", "elasticfilesystem:Restore"],
    resources: [fileSystems],
    step: "restore the files",
    why: "AWS Backup writes the files into a new folder of the file system, in this role's name; it overwrites nothing.",
  },
  {
    placement: "always",
    caller: "service",
    id: "efs-service-create",
    actions: ["elasticfilesystem:CreateFileSystem"],
    resources: ["*"],
    step: "restore the files",
    why: "AWS Backup makes the file system; EFS offers no narrower resource for that.",
    neededWhen: newOne,
  },
  {
    placement: "always",
    caller: "service",
    id: "efs-service-tags",
    actions: ["elasticfilesystem:TagResource"],
    resources: [fileSystems],
    conditions: { StringEquals: { "elasticfilesystem:CreateAction": "CreateFileSystem" } },
    step: "restore the files",
    why: "AWS Backup tags the file system while it makes it, and never afterwards.",
    neededWhen: newOne,
  },
  {
    placement: "always",
    caller: "service",
    id: "efs-service-keys",
    actions: ["kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"],
    resources: ["arn:${partition}:kms:${region}:${account}:key/*"],
    conditions: { StringLike: { "kms:ViaService": "elasticfilesystem.${region}.${dnsSuffix}" } },
    step: "restore the files",
    why: "An encrypted file system takes its key while it is made, and only through EFS.",
    neededWhen: "files go to a new file system under a key of the owner",
  },
  {
    placement: "always",
    caller: "service",
    id: "efs-service-key-grants",
    actions: ["kms:CreateGrant"],
    resources: ["arn:${partition}:kms:${region}:${account}:key/*"],
    conditions: {
      Bool: { "kms:GrantIsForAWSResource": "true" },
      StringLike: { "kms:ViaService": "elasticfilesystem.${region}.${dnsSuffix}" },
    },
    step: "restore the files",
    why: "EFS opens an encrypted file system with a grant on its key; only EFS can be given one.",
    neededWhen: "files go to a new file system under a key of the owner",
  },
];

const movingIntoPlace: Grant = {
  id: "efs-mount-writable",
  actions: [
    "elasticfilesystem:ClientMount",
    "elasticfilesystem:ClientRootAccess",
    "elasticfilesystem:ClientWrite",
  ],
  resources: [fileSystems],
  conditions: { Bool: { "elasticfilesystem:AccessedViaMountTarget": "true" } },
  placement: "workers-in-production",
  caller: "worker",
  step: "move files into place",
  why: "Lent to the worker for one task and one file system, when the user wants restored files moved from AWS Backup's folder to where they were.",
  neededWhen: "restored files are moved into place",
};

export const efsRestore: OperationDefinition = {
  id: "efs.restore",
  title: "Restore files or a whole EFS file system",
  planned: true,
  grants: [...jobs, ...service, movingIntoPlace],
};
