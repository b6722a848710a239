import type { RoleId } from "../role-definition.ts";

/**
 * Why a published right isn't asked for here. `not-offered` is no merit: the other product does something that Garrison
 * doesn't.
 */
export type ReasonKind = "not-called" | "another-way" | "another-role" | "not-offered";

export interface Reason {
  readonly kind: ReasonKind;
  readonly reason: string;
  /** Names of actions, a `*` at the end for all that begin so. The first reason that names an action counts. */
  readonly actions: readonly string[];
  /** Absent: in every role. */
  readonly roles?: readonly RoleId[];
}

const reading: readonly Reason[] = [
  {
    kind: "another-way",
    reason:
      "Blocks are read and written through the EBS direct APIs; no volume is made for a worker or attached to one.",
    actions: [
      "ec2:AttachVolume",
      "ec2:CreateVolume",
      "ec2:DeleteVolume",
      "ec2:DetachVolume",
      "ec2:ModifyVolume",
    ],
  },
  {
    kind: "another-way",
    reason:
      "Snapshots stay in their own account and under their own key: nothing is shared, copied or encrypted anew.",
    actions: [
      "ec2:CopySnapshot",
      "ec2:CreateSnapshot",
      "ec2:DescribeSnapshotAttribute",
      "ec2:ModifySnapshotAttribute",
      "kms:CreateGrant",
      "kms:ReEncrypt*",
      "rds:ModifyDBSnapshotAttribute",
    ],
  },
  {
    kind: "another-role",
    reason: "What touches data is lent from the role of the production account, for one task.",
    actions: [
      "ebs:*",
      "ec2:DeleteSnapshot",
      "ec2:DescribeSnapshots",
      "ec2:DescribeVolumes",
      "kms:DescribeKey",
      "kms:GenerateDataKeyWithoutPlaintext",
    ],
    roles: ["file-recovery-worker", "worker-deployment", "backup-rds"],
  },
  {
    kind: "another-way",
    reason: "Changes are found by reading the account; no rule, topic or subscription is left behind in it.",
    actions: ["events:*", "sns:*"],
  },
  {
    kind: "not-called",
    reason: "Tags are set while a resource is made and taken off only at hand-over.",
    actions: ["ec2:DeleteTags", "ec2:DescribeTags", "backup:UntagResource", "rds:RemoveTagsFromResource"],
  },
];

const launching: readonly Reason[] = [
  {
    kind: "another-way",
    reason: "Nobody logs in to a worker: it has no key pair, and its program comes by Run Command.",
    actions: ["ec2:CreateKeyPair", "ec2:DeleteKeyPair", "ec2:DescribeKeyPairs"],
  },
  {
    kind: "another-way",
    reason:
      "A worker is launched as it is to be and terminated after its task: it is never stopped, started or changed.",
    actions: ["ec2:ModifyInstanceAttribute", "ec2:StartInstances", "ec2:StopInstances"],
    roles: [
      "backup-ec2",
      "backup-rds",
      "restore-rds",
      "backup-efs",
      "file-recovery-worker",
      "worker-deployment",
    ],
  },
  {
    kind: "another-way",
    reason: "Each account has one stable worker role: none is made, changed or deleted for a task.",
    actions: [
      "iam:AddRoleToInstanceProfile",
      "iam:AttachRolePolicy",
      "iam:Create*",
      "iam:Delete*",
      "iam:DetachRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListRolePolicies",
      "iam:PutRolePolicy",
      "iam:RemoveRoleFromInstanceProfile",
    ],
  },
  {
    kind: "another-role",
    reason: "The worker role tells its own instance profiles, with its own credentials.",
    actions: ["iam:ListInstanceProfilesForRole"],
  },
  {
    kind: "not-called",
    reason: "The instance profile is named by the owner and not chosen from a list.",
    actions: ["iam:ListInstanceProfiles"],
  },
  {
    kind: "not-called",
    reason: "Queues are made as they are to be; only the worker has to look for its own.",
    actions: ["sqs:ListQueues", "sqs:SetQueueAttributes"],
  },
  {
    kind: "another-role",
    reason: "Lists to choose a network from are the worker-configuration role's.",
    actions: [
      "ec2:DescribeAvailabilityZones",
      "ec2:DescribeRegions",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
    ],
  },
  {
    kind: "not-called",
    reason:
      "The launch itself tells whether image, type, network and quota allow it; nothing is looked up before.",
    actions: [
      "ec2:DescribeAccountAttributes",
      "ec2:DescribeDhcpOptions",
      "ec2:DescribeImages",
      "ec2:DescribeInstanceAttribute",
      "ec2:DescribeInstanceStatus",
      "ec2:DescribeInstanceTypes",
      "ec2:DescribeInternetGateways",
      "ec2:DescribeRouteTables",
      "ec2:DescribeVpcAttribute",
      "ec2:DescribeVpcEndpoints",
      "ec2:GetEbsDefaultKmsKeyId",
      "servicequotas:*",
    ],
  },
  {
    kind: "not-called",
    reason: "Accounts, keys and prices are shown by what the owner entered, not looked up for display.",
    actions: ["iam:ListAccountAliases", "kms:GetKeyPolicy", "kms:ListAliases", "kms:ListKeys", "pricing:*"],
  },
];

const ec2: readonly Reason[] = [
  {
    kind: "not-called",
    reason: "The instance's own description holds its interfaces, volumes and addresses.",
    actions: [
      "ec2:DescribeAddresses",
      "ec2:DescribeConversionTasks",
      "ec2:DescribeNetworkInterfaceAttribute",
      "ec2:DescribeNetworkInterfaces",
      "ec2:DescribeVolumeAttribute",
    ],
  },
  {
    kind: "another-way",
    reason: "Interfaces and profile are part of the launch; what is there is never changed afterwards.",
    actions: [
      "ec2:AssignPrivateIpAddresses",
      "ec2:AssociateIamInstanceProfile",
      "ec2:AttachNetworkInterface",
      "ec2:CreateNetworkInterface",
      "ec2:DeleteNetworkInterface",
      "ec2:ModifyInstanceAttribute",
      "ec2:ModifyNetworkInterfaceAttribute",
    ],
  },
  {
    kind: "not-offered",
    reason: "Elastic IP addresses are not moved or allocated by a restore.",
    actions: ["ec2:AllocateAddress", "ec2:AssociateAddress", "ec2:DisassociateAddress"],
  },
  {
    kind: "another-way",
    reason: "Recovered files travel over the channel and a presigned address.",
    actions: ["kinesis:*"],
  },
];

const databases: readonly Reason[] = [
  {
    kind: "not-offered",
    reason: "Clusters (Aurora) and tenant databases are not protected.",
    actions: [
      "rds:CopyDBCluster*",
      "rds:CreateDBCluster*",
      "rds:DeleteDBCluster*",
      "rds:DescribeDBCluster*",
      "rds:ModifyDBCluster*",
      "rds:RestoreDBCluster*",
      "rds:CreateTenantDatabase",
      "rds:DeleteTenantDatabase",
    ],
  },
  {
    kind: "not-offered",
    reason: "DB snapshots are not copied to other accounts or Regions.",
    actions: ["rds:CopyDBSnapshot"],
  },
  {
    kind: "another-way",
    reason: "A restore takes the settings recorded with the backup; RDS itself refuses what doesn't fit.",
    actions: [
      "rds:CreateDBInstance",
      "rds:DescribeAccountAttributes",
      "rds:DescribeDBEngineVersions",
      "rds:DescribeDBParameterGroups",
      "rds:DescribeDBSubnetGroups",
      "rds:DescribeOrderableDBInstanceOptions",
      "rds:ListTagsForResource",
    ],
  },
  {
    kind: "another-role",
    reason: "Snapshots are removed by the role that takes them.",
    actions: ["rds:DeleteDBSnapshot"],
  },
  {
    kind: "another-way",
    reason: "The run's security group goes with all its rules; none is taken out by itself.",
    actions: ["ec2:RevokeSecurityGroupIngress"],
  },
  {
    kind: "another-way",
    reason: "A staging bucket is known by its name, private by default and emptied by its own lifecycle.",
    actions: ["s3:ListAllMyBuckets", "s3:PutBucketPolicy"],
  },
];

const fileSystems: readonly Reason[] = [
  {
    kind: "another-way",
    reason: "Vaults are the owner's: named, not listed, made or deleted.",
    actions: [
      "backup-storage:MountCapsule",
      "backup:CreateBackupVault",
      "backup:DeleteBackupVault",
      "backup:DescribeRegionSettings",
      "backup:ListBackupVaults",
      "backup:ListRecoveryPointsByBackupVault",
      "backup:ListTags",
    ],
  },
  {
    kind: "another-role",
    reason: "Recovery points are copied, tagged and removed by the role that makes them.",
    actions: [
      "backup:CopyFromBackupVault",
      "backup:CopyIntoBackupVault",
      "backup:DeleteRecoveryPoint",
      "backup:DescribeCopyJob",
      "backup:StartCopyJob",
      "backup:TagResource",
    ],
  },
  {
    kind: "not-offered",
    reason:
      "A restored file system gets its files; mount targets, access points and policies stay with its owner.",
    actions: [
      "elasticfilesystem:CreateAccessPoint",
      "elasticfilesystem:CreateMountTarget",
      "elasticfilesystem:Delete*",
      "elasticfilesystem:Describe*",
      "elasticfilesystem:Put*",
      "elasticfilesystem:UntagResource",
      "elasticfilesystem:UpdateFileSystem",
    ],
  },
  {
    kind: "not-called",
    reason: "A file system's description holds its tags.",
    actions: ["elasticfilesystem:ListTagsForResource"],
  },
];

const others: readonly Reason[] = [
  {
    kind: "not-offered",
    reason: "There is no archive tier that objects would have to be brought back from.",
    actions: ["iam:PassRole", "s3:CreateJob", "s3:DescribeJob", "s3:RestoreObject"],
  },
  {
    kind: "another-way",
    reason:
      "Versions and locks are looked after by the bucket's owner, with their own credentials and a command of ours; no role can shorten them.",
    actions: [
      "s3:DeleteObjectVersion",
      "s3:GetBucketObjectLockConfiguration",
      "s3:GetBucketVersioning",
      "s3:GetObjectRetention",
      "s3:GetObjectVersion",
      "s3:ListBucketVersions",
      "s3:PutObjectRetention",
    ],
  },
  {
    kind: "not-called",
    reason: "The bucket is named by the owner, with its Region and its key.",
    actions: ["kms:DescribeKey", "kms:Encrypt", "s3:GetBucketLocation", "s3:ListAllMyBuckets"],
  },
  {
    kind: "another-way",
    reason: "The walk over the organisation answers each unit's accounts and names in one call.",
    actions: [
      "organizations:DescribeAccount",
      "organizations:DescribeOrganizationalUnit",
      "organizations:ListChildren",
    ],
  },
];

export const reasons: readonly Reason[] = [
  ...reading,
  ...launching,
  ...ec2,
  ...databases,
  ...fileSystems,
  ...others,
];
