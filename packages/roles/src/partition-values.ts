/** What differs between AWS's partitions. */
export interface PartitionValues {
  readonly partition: string;
  readonly dnsSuffix: string;
  /** China knows EC2 by two names in practice; trust and PassRole take both. */
  readonly ec2Principals: readonly string[];
}

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
  return { partition, dnsSuffix, ec2Principals };
}
