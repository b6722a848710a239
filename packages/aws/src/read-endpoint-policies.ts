import {
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
  DescribeVpcEndpointsCommand,
  type EC2Client,
  type VpcEndpoint,
} from "@aws-sdk/client-ec2";
import type { EndpointPolicies } from "@garrison/roles/policy-reader";
import type { Call } from "@garrison/roles/prober";

/**
 * The policies that limit what is called from a subnet, by the service: those of interface endpoints to which the service's
 * own name leads and, where there is none, of gateway endpoints that the subnet's route table knows.
 */
export async function readEndpointPolicies(
  ec2: EC2Client,
  subnetId: string,
  call: Call,
): Promise<EndpointPolicies> {
  const abort = { abortSignal: call.signal };
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [subnetId] }), abort);
  const vpcId = Subnets?.[0]?.VpcId ?? "";
  const endpoints = await listEndpoints(ec2, vpcId, call);
  const gateways = endpoints.filter(({ VpcEndpointType }) => VpcEndpointType === "Gateway");
  const tableId = gateways.length === 0 ? "" : await readTableId(ec2, { subnetId, vpcId }, call);
  const routed = gateways.filter(({ RouteTableIds }) => RouteTableIds?.includes(tableId) === true);
  const named = endpoints.filter(
    ({ PrivateDnsEnabled, VpcEndpointType }) => VpcEndpointType === "Interface" && PrivateDnsEnabled === true,
  );
  // The later ones count: where a name leads to an interface, routes are not asked.
  return Object.fromEntries([...routed, ...named].flatMap((endpoint) => policyOf(endpoint) ?? []));
}

function policyOf({ PolicyDocument, ServiceName, VpcEndpointId }: VpcEndpoint) {
  // com.amazonaws.eu-central-1.sqs, in China with "cn." in front.
  const service = ServiceName?.split(".").at(-1);
  if (service === undefined || PolicyDocument === undefined) return undefined;
  const policy = JSON.parse(PolicyDocument) as object;
  return [[service, { name: VpcEndpointId ?? service, policy }] as const];
}

async function listEndpoints(ec2: EC2Client, vpcId: string, call: Call): Promise<readonly VpcEndpoint[]> {
  const found: VpcEndpoint[] = [];
  const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
  let NextToken: string | undefined;
  do {
    const command = new DescribeVpcEndpointsCommand({ Filters, NextToken });
    const page = await ec2.send(command, { abortSignal: call.signal });
    found.push(...(page.VpcEndpoints ?? []));
    NextToken = page.NextToken;
  } while (NextToken !== undefined && NextToken !== "");
  // "available" in the documentation's list of values, "Available" in the model's.
  return found.filter(({ State }) => State?.toLowerCase() === "available");
}

/** The subnet's own route table, or the VPC's main one. */
async function readTableId(
  ec2: EC2Client,
  { subnetId, vpcId }: { readonly subnetId: string; readonly vpcId: string },
  call: Call,
): Promise<string> {
  const choices = [{ "association.subnet-id": subnetId }, { "vpc-id": vpcId, "association.main": "true" }];
  for (const choice of choices) {
    const Filters = Object.entries(choice).map(([Name, value]) => ({ Name, Values: [value] }));
    const command = new DescribeRouteTablesCommand({ Filters });
    const { RouteTables } = await ec2.send(command, { abortSignal: call.signal });
    const [table] = RouteTables ?? [];
    if (table?.RouteTableId !== undefined) return table.RouteTableId;
  }
  return "";
}
