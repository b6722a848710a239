import { DescribeVpcEndpointsCommand, type EC2Client, type VpcEndpoint } from "@aws-sdk/client-ec2";
import type { EndpointFact } from "@garrison/roles/network/network-facts";
import type { AwsCall } from "../ec2/named-call.ts";

/** A VPC has 50 interface endpoints unless its owner asked AWS for more. */
const mostPages = 10;

export async function readEndpoints(
  ec2: EC2Client,
  vpcId: string,
  { signal }: AwsCall,
): Promise<readonly EndpointFact[]> {
  const found: EndpointFact[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
    const answer = await ec2.send(new DescribeVpcEndpointsCommand({ Filters, NextToken }), {
      abortSignal: signal,
    });
    found.push(...(answer.VpcEndpoints ?? []).map(toEndpointFact));
    NextToken = answer.NextToken === "" ? undefined : answer.NextToken;
    if (NextToken === undefined) break;
  }
  return found;
}

function toEndpointFact(endpoint: VpcEndpoint): EndpointFact {
  return {
    endpointId: endpoint.VpcEndpointId ?? "",
    // com.amazonaws.eu-central-1.sqs, in China with "cn." in front.
    service: endpoint.ServiceName?.split(".").at(-1) ?? "",
    type: endpoint.VpcEndpointType === "Gateway" ? "Gateway" : "Interface",
    // The SDK's "available" is "Available" in its list of values.
    state: (endpoint.State ?? "unknown").toLowerCase(),
    hasPrivateDns: endpoint.PrivateDnsEnabled === true,
    subnetIds: endpoint.SubnetIds ?? [],
    routeTableIds: endpoint.RouteTableIds ?? [],
    groupIds: (endpoint.Groups ?? []).flatMap(({ GroupId }) => GroupId ?? []),
  };
}
