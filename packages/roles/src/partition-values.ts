/** What differs between AWS's partitions. */
export interface PartitionValues {
  readonly partition: string;
  readonly dnsSuffix: string;
  /** China knows EC2 by two names in practice; trust and PassRole take both. */
  readonly ec2Principals: readonly string[];
  /** Where IAM and Organizations are, whose calls count as made there: by a Region condition, and in CloudTrail. */
  readonly iamRegion: string;
}

const iamRegions: Readonly<Record<string, string>> = {
  "aws-cn": "cn-north-1",
  "aws-us-gov": "us-gov-west-1",
  "aws-eusc": "eusc-de-east-1",
};

const dnsSuffixes: Readonly<Record<string, string>> = {
  aws: "amazonaws.com",
  "aws-cn": "amazonaws.com.cn",
  "aws-us-gov": "amazonaws.com",
  "aws-eusc": "amazonaws.eu",
};

export function partitionValues(partition: string): PartitionValues {
  const dnsSuffix = dnsSuffixes[partition] ?? "amazonaws.com";
  const ec2Principals =
    partition === "aws-cn" ? ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] : ["ec2.amazonaws.com"];
  return { partition, dnsSuffix, ec2Principals, iamRegion: iamRegions[partition] ?? "us-east-1" };
}
