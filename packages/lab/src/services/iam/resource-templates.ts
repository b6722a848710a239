/** ARN templates by `service:first part of the resource`, as the service authorization reference writes them. */
const templates: Readonly<Record<string, string>> = {
  "ec2:instance": "arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}",
  "ec2:volume": "arn:${Partition}:ec2:${Region}:${Account}:volume/${VolumeId}",
  "ec2:snapshot": "arn:${Partition}:ec2:${Region}::snapshot/${SnapshotId}",
  "ec2:image": "arn:${Partition}:ec2:${Region}::image/${ImageId}",
  "ec2:subnet": "arn:${Partition}:ec2:${Region}:${Account}:subnet/${SubnetId}",
  "ec2:security-group": "arn:${Partition}:ec2:${Region}:${Account}:security-group/${SecurityGroupId}",
  "ec2:network-interface":
    "arn:${Partition}:ec2:${Region}:${Account}:network-interface/${NetworkInterfaceId}",
  "ec2:key-pair": "arn:${Partition}:ec2:${Region}:${Account}:key-pair/${KeyPairName}",
  "ec2:launch-template": "arn:${Partition}:ec2:${Region}:${Account}:launch-template/${LaunchTemplateId}",
  "ec2:vpc": "arn:${Partition}:ec2:${Region}:${Account}:vpc/${VpcId}",
  "iam:role": "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}",
  "iam:user": "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}",
  "iam:instance-profile": "arn:${Partition}:iam::${Account}:instance-profile/${InstanceProfileNameWithPath}",
  "iam:policy": "arn:${Partition}:iam::${Account}:policy/${PolicyNameWithPath}",
  "kms:key": "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}",
  "kms:alias": "arn:${Partition}:kms:${Region}:${Account}:alias/${Alias}",
  "ssm:document": "arn:${Partition}:ssm:${Region}:${Account}:document/${DocumentName}",
  "ssm:parameter": "arn:${Partition}:ssm:${Region}:${Account}:parameter/${ParameterNameWithoutLeadingSlash}",
  "ssm:managed-instance": "arn:${Partition}:ssm:${Region}:${Account}:managed-instance/${InstanceId}",
};

/** The template that stands at the top of a simulation's result, `*` where none is known. */
export function resourceTemplate(action: string, resourceArns: readonly string[]): string {
  const [service = ""] = action.split(":");
  const first = resourceArns.find((arn) => arn !== "*");
  if (first === undefined) return "*";
  const resource = first.split(":").slice(5).join(":");
  if (service === "s3")
    return resource.includes("/")
      ? "arn:${Partition}:s3:::${BucketName}/${ObjectName}"
      : "arn:${Partition}:s3:::${BucketName}";
  if (service === "sqs") return "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}";
  const type = resource.split(/[/:]/)[0] ?? "";
  return (
    templates[`${service === "ebs" ? "ec2" : service}:${type}`] ??
    templates[`${first.split(":")[2] ?? ""}:${type}`] ??
    "*"
  );
}
