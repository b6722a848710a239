import type { RoleValues } from "./role-values.ts";

/** Something that a stranger to Garrison's own resources could be hurt by, and a resource that is certainly not ours. */
export interface DangerousAction {
  readonly action: string;
  readonly resource: string;
  /** What a role that may do it could do, as words after "may". */
  readonly words: string;
}

type Danger = readonly [action: string, resource: string, words: string];

/** What is asked for when nobody can read the role's policies, and what is said loudly of a worker role. */
export function dangerousActions(values: RoleValues): readonly DangerousAction[] {
  const all = [...dataDangers(values), ...identityDangers(values), ...serviceDangers(values)];
  return all.map(([action, resource, words]) => ({ action, resource, words }));
}

/** Snapshots, buckets, keys: what a backup system is trusted with. */
function dataDangers(values: RoleValues): readonly Danger[] {
  const { bucketPrefix, partition } = values;
  const snapshot = arnOf(values, "ec2", "snapshot/snap-0foreign", "");
  const object = `arn:${partition}:s3:::foreign-bucket/object`;
  const own = values.bucket.slice(0, 1).flatMap((bucket): readonly Danger[] => {
    const resource = `arn:${partition}:s3:::${bucket}/${bucketPrefix}domain/object`;
    return [
      ["s3:GetObject", resource, "read the repository"],
      ["s3:DeleteObject", resource, "delete from the repository"],
    ];
  });
  return [
    ["ec2:DeleteSnapshot", snapshot, "delete snapshots"],
    ["s3:GetObject", object, "read foreign buckets"],
    ["s3:PutObject", object, "write into foreign buckets"],
    ["s3:DeleteObject", object, "delete from foreign buckets"],
    ...own,
    ["ebs:GetSnapshotBlock", snapshot, "read the blocks of foreign snapshots"],
    ["kms:Decrypt", arnOf(values, "kms", "key/foreign"), "decrypt with foreign keys"],
  ];
}

function identityDangers({ account, partition }: RoleValues): readonly Danger[] {
  const role = `arn:${partition}:iam::${account}:role/foreign`;
  return [
    ["sts:AssumeRole", role, "become other roles"],
    ["iam:PassRole", role, "hand other roles to services"],
    ["iam:PutRolePolicy", role, "change the rights of roles"],
    ["iam:AttachRolePolicy", role, "attach policies to roles"],
    ["iam:CreateAccessKey", `arn:${partition}:iam::${account}:user/foreign`, "make keys of users"],
  ];
}

function serviceDangers(values: RoleValues): readonly Danger[] {
  const arn = (service: string, name: string): string => arnOf(values, service, name);
  const instance = arn("ec2", "instance/i-0foreign");
  return [
    ["ec2:TerminateInstances", instance, "end foreign instances"],
    ["ec2:RunInstances", instance, "launch instances without our tag"],
    ["ec2:DeleteVolume", arn("ec2", "volume/vol-0foreign"), "delete foreign volumes"],
    ["ssm:SendCommand", instance, "run commands on foreign instances"],
    ["ssm:GetParameter", arn("ssm", "parameter/foreign"), "read foreign parameters"],
    ["secretsmanager:GetSecretValue", arn("secretsmanager", "secret:foreign-AbCdEf"), "read secrets"],
    ["sqs:ReceiveMessage", arn("sqs", "foreign"), "read the messages of foreign queues"],
    ["sqs:DeleteMessage", arn("sqs", "foreign"), "delete the messages of foreign queues"],
    ["rds:DeleteDBInstance", arn("rds", "db:foreign"), "delete databases"],
    [
      "elasticfilesystem:DeleteFileSystem",
      arn("elasticfilesystem", "file-system/fs-0foreign"),
      "delete file systems",
    ],
    ["cloudtrail:StopLogging", arn("cloudtrail", "trail/foreign"), "stop CloudTrail"],
  ];
}

function arnOf(
  { account, partition, region }: RoleValues,
  service: string,
  ...[name, owner = account]: readonly [name: string, owner?: string]
): string {
  return `arn:${partition}:${service}:${region[0] ?? "us-east-1"}:${owner}:${name}`;
}
