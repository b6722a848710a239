import { partitionValues } from "@garrison/roles/partition-values";

/** The Region in which IAM works for a Region's partition. */
export function iamRegionOf(region: string): string {
  return partitionValues(partitionOf(region)).iamRegion;
}

function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  return region.startsWith("eusc-") ? "aws-eusc" : "aws";
}
