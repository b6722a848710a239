import { globalConditionKeys } from "./global-condition-keys.ts";

/**
 * The condition keys that each of Garrison's calls carries besides the global ones: what the caller sends, and what AWS
 * reads from the resource. The service authorization reference lists more for most of these actions: keys of resources and
 * parameters that Garrison doesn't use. A condition on such a key behaves as on one that is absent.
 */
export const callContextKeys: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [
    ...carry("aws:ResourceTag/${TagKey} ebs:Description ebs:VolumeSize", [
      "ebs:GetSnapshotBlock ebs:ListSnapshotBlocks ebs:ListChangedBlocks ebs:PutSnapshotBlock ebs:CompleteSnapshot",
    ]),
    ...carry("aws:RequestTag/${TagKey} aws:TagKeys ebs:Description ebs:ParentSnapshot ebs:VolumeSize", [
      "ebs:StartSnapshot",
    ]),
    ...carry("ec2:Region", [
      "ec2:DescribeAvailabilityZones ec2:DescribeImages ec2:DescribeInstances ec2:DescribeRegions ec2:DescribeSecurityGroups",
      "ec2:DescribeSnapshots ec2:DescribeSubnets ec2:DescribeVolumes ec2:DescribeVpcs ec2:DescribeInstanceTypes",
      "ec2:DescribeInstanceTypeOfferings ec2:DescribeVpcEndpoints ec2:DescribeRouteTables ec2:DescribeTags",
    ]),
    ...carry(
      "ec2:Region aws:ResourceTag/${TagKey} ec2:ResourceTag/${TagKey} ec2:InstanceType ec2:InstanceProfile ec2:AvailabilityZone",
      [
        "ec2:DescribeInstanceAttribute ec2:GetConsoleOutput ec2:StartInstances ec2:StopInstances ec2:TerminateInstances",
      ],
    ),
    ...carry(
      "ec2:Region aws:RequestTag/${TagKey} aws:TagKeys aws:ResourceTag/${TagKey} ec2:ResourceTag/${TagKey} ec2:InstanceType ec2:InstanceProfile ec2:MetadataHttpTokens ec2:MetadataHttpEndpoint ec2:MetadataHttpPutResponseHopLimit ec2:AvailabilityZone ec2:Subnet ec2:Vpc ec2:ImageID ec2:Owner ec2:Public ec2:VolumeSize ec2:VolumeType ec2:Encrypted ec2:RootDeviceType ec2:Tenancy",
      ["ec2:RunInstances"],
    ),
    ...carry(
      "ec2:Region ec2:CreateAction aws:RequestTag/${TagKey} aws:TagKeys aws:ResourceTag/${TagKey} ec2:ResourceTag/${TagKey}",
      ["ec2:CreateTags"],
    ),
    ...carry(
      "ec2:Region aws:TagKeys aws:RequestTag/${TagKey} aws:ResourceTag/${TagKey} ec2:ResourceTag/${TagKey}",
      ["ec2:DeleteTags"],
    ),
    ...carry(
      "ec2:Region aws:RequestTag/${TagKey} aws:TagKeys aws:ResourceTag/${TagKey} ec2:ResourceTag/${TagKey} ec2:ParentVolume ec2:VolumeSize",
      ["ec2:CreateSnapshots ec2:CreateSnapshot ec2:CopySnapshot"],
    ),
    ...carry(
      "ec2:Region aws:RequestTag/${TagKey} aws:TagKeys aws:ResourceTag/${TagKey} ec2:ResourceTag/${TagKey} ec2:ParentSnapshot ec2:VolumeSize ec2:VolumeType ec2:VolumeIops ec2:VolumeThroughput ec2:Encrypted ec2:KmsKeyId ec2:AvailabilityZone",
      ["ec2:CreateVolume"],
    ),
    ...carry(
      "ec2:Region aws:RequestTag/${TagKey} aws:TagKeys aws:ResourceTag/${TagKey} ec2:ResourceTag/${TagKey}",
      ["ec2:RegisterImage ec2:CreateSecurityGroup"],
    ),
    ...carry("ec2:Region aws:ResourceTag/${TagKey} ec2:ResourceTag/${TagKey}", [
      "ec2:AttachVolume ec2:DetachVolume ec2:DeleteSnapshot ec2:DeleteVolume ec2:DeregisterImage ec2:DeleteSecurityGroup",
      "ec2:AuthorizeSecurityGroupEgress ec2:AuthorizeSecurityGroupIngress ec2:RevokeSecurityGroupEgress",
      "ec2:RevokeSecurityGroupIngress ec2:ModifyInstanceAttribute",
    ]),
    ...carry("", [
      "iam:GetContextKeysForPrincipalPolicy iam:ListInstanceProfilesForRole iam:SimulatePrincipalPolicy",
      "sqs:ListQueues sts:GetCallerIdentity ssm:DescribeInstanceInformation ssm:GetCommandInvocation",
      "servicequotas:ListServiceQuotas organizations:ListRoots organizations:DescribeOrganization",
    ]),
    ...carry(
      "iam:PassedToService iam:AssociatedResourceArn iam:ResourceTag/${TagKey} aws:ResourceTag/${TagKey}",
      ["iam:PassRole"],
    ),
    ...carry("iam:ResourceTag/${TagKey} aws:ResourceTag/${TagKey}", ["iam:GetRole"]),
    ...carry("aws:ResourceTag/${TagKey}", ["iam:GetInstanceProfile"]),
    ...carry("sts:ExternalId sts:RoleSessionName iam:ResourceTag/${TagKey} aws:ResourceTag/${TagKey}", [
      "sts:AssumeRole",
    ]),
    ...carry("aws:ResourceTag/${TagKey}", [
      "sqs:DeleteMessage sqs:DeleteQueue sqs:GetQueueUrl sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage",
      "ssm:GetParameter ssm:GetParameters",
    ]),
    ...carry("aws:RequestTag/${TagKey} aws:TagKeys", ["sqs:CreateQueue"]),
    ...carry("aws:RequestTag/${TagKey} aws:TagKeys aws:ResourceTag/${TagKey}", ["sqs:TagQueue"]),
    ...carry("aws:ResourceTag/${TagKey} ssm:ResourceTag/${TagKey} ssm:DocumentType", ["ssm:SendCommand"]),
    ...carry("s3:ResourceAccount s3:TlsVersion s3:authType s3:signatureversion s3:x-amz-content-sha256", [
      "s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:ListMultipartUploadParts s3:GetObjectAttributes",
      "s3:GetBucketLocation s3:DeleteBucket s3:PutBucketTagging s3:PutLifecycleConfiguration",
    ]),
    ...carry(
      "s3:ResourceAccount s3:TlsVersion s3:authType s3:signatureversion s3:x-amz-content-sha256 s3:if-none-match s3:x-amz-server-side-encryption s3:x-amz-server-side-encryption-aws-kms-key-id s3:x-amz-storage-class",
      ["s3:PutObject"],
    ),
    ...carry(
      "s3:ResourceAccount s3:TlsVersion s3:authType s3:signatureversion s3:x-amz-content-sha256 s3:prefix s3:delimiter s3:max-keys",
      ["s3:ListBucket"],
    ),
    ...carry(
      "s3:ResourceAccount s3:TlsVersion s3:authType s3:signatureversion s3:x-amz-content-sha256 s3:locationconstraint",
      ["s3:CreateBucket"],
    ),
    ...carry(
      "kms:CallerAccount kms:ViaService kms:EncryptionContext:${EncryptionContextKey} kms:EncryptionContextKeys kms:EncryptionAlgorithm kms:KeyOrigin kms:KeySpec kms:KeyUsage kms:MultiRegion kms:ResourceAliases aws:ResourceTag/${TagKey}",
      [
        "kms:Decrypt kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo",
      ],
    ),
    ...carry(
      "kms:CallerAccount kms:ViaService kms:KeyOrigin kms:KeySpec kms:KeyUsage kms:MultiRegion kms:ResourceAliases aws:ResourceTag/${TagKey}",
      ["kms:DescribeKey"],
    ),
    ...carry(
      "kms:CallerAccount kms:ViaService kms:GrantIsForAWSResource kms:GrantOperations kms:GranteePrincipal kms:GrantConstraintType kms:RetiringPrincipal kms:EncryptionContext:${EncryptionContextKey} kms:EncryptionContextKeys kms:KeySpec kms:KeyUsage aws:ResourceTag/${TagKey}",
      ["kms:CreateGrant"],
    ),
    ...carry("kms:CallerAccount", ["kms:ListGrants"]),
    ...carry("iam:AWSServiceName", ["iam:CreateServiceLinkedRole"]),
    ...carry(
      "aws:RequestTag/${TagKey} aws:TagKeys rds:req-tag/${TagKey} aws:ResourceTag/${TagKey} rds:DatabaseEngine rds:DatabaseClass",
      ["rds:CreateDBSnapshot rds:RestoreDBInstanceFromDBSnapshot"],
    ),
    ...carry("aws:ResourceTag/${TagKey}", [
      "backup:DeleteRecoveryPoint backup:DescribeRecoveryPoint backup:GetRecoveryPointRestoreMetadata backup:StartBackupJob",
      "backup:StartCopyJob backup:StartRestoreJob rds:DescribeDBSnapshots rds:DeleteDBSnapshot",
    ]),
    ...carry("backup:CopyTargets backup:CopyTargetOrgPaths aws:ResourceTag/${TagKey}", [
      "backup:CopyFromBackupVault",
    ]),
    ...carry("aws:RequestTag/${TagKey} aws:TagKeys aws:ResourceTag/${TagKey}", ["backup:TagResource"]),
    ...carry(
      "aws:RequestTag/${TagKey} aws:TagKeys aws:ResourceTag/${TagKey} elasticfilesystem:CreateAction",
      ["elasticfilesystem:TagResource"],
    ),
    ...carry(
      "elasticfilesystem:AccessPointArn elasticfilesystem:AccessedViaMountTarget aws:ResourceTag/${TagKey}",
      ["elasticfilesystem:ClientMount elasticfilesystem:ClientWrite elasticfilesystem:ClientRootAccess"],
    ),
    ...carry("", [
      "ssmmessages:CreateControlChannel ssmmessages:OpenControlChannel ssm:UpdateInstanceInformation",
      "ec2messages:GetMessages ec2messages:SendReply",
    ]),
  ].flatMap(([actions, keys]) => actions.map((action) => [action.toLowerCase(), new Set(keys)] as const)),
);

type Carried = readonly [actions: readonly string[], keys: readonly string[]];

function carry(keys: string, actions: readonly string[]): readonly Carried[] {
  return [[actions.flatMap((line) => line.split(" ")), keys.split(" ").filter((key) => key !== "")]];
}

/** Whether a call of the action as Garrison makes it carries the key; undefined if Garrison makes no such call. */
export function doesCallCarry(action: string, key: string): boolean | undefined {
  const keys = callContextKeys.get(action.toLowerCase());
  if (keys === undefined) return undefined;
  const isGlobal = globalConditionKeys.some(
    ({ name, byAction }) => byAction !== true && fitsTemplate(name, key),
  );
  return isGlobal || [...keys].some((template) => fitsTemplate(template, key));
}

/** `aws:ResourceTag/${TagKey}` and `s3:ExistingObjectTag/<key>`: what varies of a key's name. */
const placeholder = /\$\{[^}]*\}|<[^>]*>/;

/** Whether a key in any case is one of those that the template stands for. */
export function fitsTemplate(template: string, written: string): boolean {
  const key = written.toLowerCase();
  const [before = "", after] = template.toLowerCase().split(placeholder);
  if (after === undefined) return key === before;
  return key.length > before.length + after.length && key.startsWith(before) && key.endsWith(after);
}
