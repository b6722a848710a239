import type { Grant } from "../grant.ts";
import type { OperationDefinition } from "../operation-definition.ts";
import { onOwn } from "./own-tag.ts";

const own: Pick<Grant, "placement" | "caller"> = { placement: "always", caller: "appliance" };
const fileSystems = "arn:${partition}:elasticfilesystem:${region}:${account}:file-system/*";
const recoveryPoints = "arn:${partition}:backup:${region}:${account}:recovery-point:*";
const vaults = "arn:${partition}:backup:${region}:${account}:backup-vault:${backupVault}";
const copies = "the policy copies recovery points to another Region";

/** AWS Backup takes the role that it is handed: this one. */
export function passToBackup(id: string): Grant {
  return {
    ...own,
    id,
    actions: ["iam:PassRole"],
    resources: ["${roleArn}"],
    conditions: { StringEquals: { "iam:PassedToService": "backup.amazonaws.com" } },
    step: "start the job",
    why: "The role hands itself to AWS Backup, which does the work in its name; no other role can be handed over, and to no other service.",
  };
}

const jobs: readonly Grant[] = [
  {
    ...own,
    id: "efs-inventory",
    actions: ["elasticfilesystem:DescribeFileSystems"],
    resources: [fileSystems],
    step: "read the file system",
    why: "Policies choose file systems by id and tag, and a restore needs what the file system was made of.",
  },
  {
    ...own,
    id: "efs-start-backup",
    actions: ["backup:StartBackupJob"],
    resources: [vaults],
    step: "start the job",
    why: "Backups go only into the vaults that the owner named.",
  },
  passToBackup("efs-pass-itself"),
  {
    ...own,
    id: "efs-job-state",
    actions: ["backup:DescribeBackupJob", "backup:StopBackupJob"],
    resources: ["*"],
    step: "follow the job",
    why: "The run follows its job, and stops it when the user does; AWS Backup offers no narrower resource for jobs.",
  },
  {
    ...own,
    id: "efs-tag-points",
    actions: ["backup:TagResource"],
    resources: [recoveryPoints],
    conditions: {
      StringLike: { "aws:RequestTag/garrison:installation": "${installation}" },
      "ForAllValues:StringLike": { "aws:TagKeys": "garrison:*" },
    },
    step: "start the job",
    why: "AWS Backup asks for this right when a job names tags for its recovery point. It can't be limited to new ones: a vault lock or access policy protects recovery points of others.",
  },
  {
    ...own,
    id: "efs-point-state",
    actions: ["backup:DescribeRecoveryPoint"],
    resources: [recoveryPoints],
    step: "follow the job",
    why: "The recovery point's state and lifecycle say whether it can be restored.",
  },
  {
    ...own,
    id: "efs-expire-points",
    actions: ["backup:DeleteRecoveryPoint"],
    resources: [recoveryPoints],
    conditions: onOwn,
    step: "remove recovery points",
    why: "Recovery points whose retention has ended are removed; only those with the installation's tag.",
  },
];

const copying: readonly Grant[] = [
  {
    ...own,
    id: "efs-start-copy",
    actions: ["backup:CopyFromBackupVault", "backup:StartCopyJob"],
    resources: [recoveryPoints],
    conditions: onOwn,
    step: "copy the recovery point",
    why: "Only recovery points of this installation are copied.",
    neededWhen: copies,
  },
  {
    ...own,
    id: "efs-copy-state",
    actions: ["backup:DescribeCopyJob"],
    resources: ["*"],
    step: "copy the recovery point",
    why: "The run follows its copy; AWS Backup offers no narrower resource for jobs.",
    neededWhen: copies,
  },
];

const service: readonly Grant[] = [
  {
    placement: "always",
    caller: "service",
    id: "efs-service-backup",
    actions: ["elasticfilesystem:Backup", "elasticfilesystem:DescribeTags"],
    resources: [fileSystems],
    step: "back up the file system",
    why: "AWS Backup reads the file system and its tags in this role's name.",
  },
  {
    placement: "always",
    caller: "service",
    id: "efs-service-vault",
    actions: ["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"],
    resources: [vaults],
    step: "back up the file system",
    why: "AWS Backup puts recovery points into the vaults that the owner named.",
  },
];

export const efsBackup: OperationDefinition = {
  id: "efs.backup",
  title: "Back up an EFS file system",
  planned: true,
  grants: [...jobs, ...copying, ...service],
};
