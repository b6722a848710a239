import type { DescribeVpcAttributeCommandInput, ModifyVpcAttributeCommandInput } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { permit } from "../shared/permit.ts";
import { findVpc } from "./find-network.ts";
import { vpcAccess } from "./network-access.ts";

export function describeVpcAttribute(input: DescribeVpcAttributeCommandInput, call: Call): object {
  if (input.VpcId === undefined) throw missingParameter("vpcId");
  if (input.Attribute === undefined) throw missingParameter("attribute");
  const vpc = findVpc(call, input.VpcId);
  permit(call, input.DryRun, [{ action: "ec2:DescribeVpcAttribute", resources: [vpcAccess(call, vpc)] }]);
  switch (input.Attribute) {
    case "enableDnsSupport":
      return { VpcId: vpc.vpcId, EnableDnsSupport: { Value: vpc.enableDnsSupport ?? true } };
    case "enableDnsHostnames":
      return { VpcId: vpc.vpcId, EnableDnsHostnames: { Value: vpc.enableDnsHostnames ?? true } };
    case "enableNetworkAddressUsageMetrics":
      return { VpcId: vpc.vpcId, EnableNetworkAddressUsageMetrics: { Value: false } };
    default:
      throw invalidParameter(
        `Value (${String(input.Attribute)}) for parameter attribute is invalid. Unknown attribute.`,
      );
  }
}

export function modifyVpcAttribute(input: ModifyVpcAttributeCommandInput, call: Call): object {
  if (input.VpcId === undefined) throw missingParameter("vpcId");
  const vpc = findVpc(call, input.VpcId);
  const support = input.EnableDnsSupport?.Value;
  const hostnames = input.EnableDnsHostnames?.Value;
  const attributes = [
    ...(support === undefined ? [] : ["EnableDnsSupport"]),
    ...(hostnames === undefined ? [] : ["EnableDnsHostnames"]),
  ];
  const [attribute = ""] = attributes;
  // This operation has no DryRun.
  permit(call, false, [
    {
      action: "ec2:ModifyVpcAttribute",
      resources: [vpcAccess(call, vpc)],
      context: { "ec2:Attribute": attribute },
    },
  ]);
  if (attributes.length === 0) throw missingParameter("attribute");
  if (attributes.length > 1) {
    throw new AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified");
  }
  call.lab.ec2.tables.vpcs.put(vpc.vpcId, {
    ...vpc,
    ...(support === undefined ? {} : { enableDnsSupport: support }),
    ...(hostnames === undefined ? {} : { enableDnsHostnames: hostnames }),
  });
  return {};
}
