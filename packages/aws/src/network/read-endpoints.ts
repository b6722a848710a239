import { DescribeVpcEndpointsCommand, type EC2Client, type VpcEndpoint } from "@aws-sdk/client-ec2";
import type { AwsCall } from "../ec2/named-call.ts";

/** A VPC has 50 interface endpoints unless its owner asked AWS for more. */
const mostPages = 10;

/** All endpoints of a VPC, as EC2 tells of them. */
export async function readEndpoints(
  ec2: EC2Client,
  vpcId: string,
  { signal }: AwsCall,
): Promise<readonly VpcEndpoint[]> {
  const found: VpcEndpoint[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
    const answer = await ec2.send(new DescribeVpcEndpointsCommand({ Filters, NextToken }), {
      abortSignal: signal,
    });
    found.push(...(answer.VpcEndpoints ?? []));
    NextToken = answer.NextToken === "" ? undefined : answer.NextToken;
    if (NextToken === undefined) break;
  }
  return found;
}
