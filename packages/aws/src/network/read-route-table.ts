import { DescribeRouteTablesCommand, type EC2Client, type RouteTable } from "@aws-sdk/client-ec2";
import type { AwsCall } from "../ec2/named-call.ts";

/** The subnet's own route table, or the VPC's main one. */
export async function readRouteTable(
  ec2: EC2Client,
  { subnetId, vpcId }: { readonly subnetId: string; readonly vpcId: string },
  { signal }: AwsCall,
): Promise<RouteTable | undefined> {
  const choices = [{ "association.subnet-id": subnetId }, { "vpc-id": vpcId, "association.main": "true" }];
  for (const choice of choices) {
    const Filters = Object.entries(choice).map(([Name, value]) => ({ Name, Values: [value] }));
    const command = new DescribeRouteTablesCommand({ Filters });
    const { RouteTables } = await ec2.send(command, { abortSignal: signal });
    const [table] = RouteTables ?? [];
    if (table !== undefined) return table;
  }
  return undefined;
}
