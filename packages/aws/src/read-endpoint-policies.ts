import { DescribeSubnetsCommand, type EC2Client, type VpcEndpoint } from "@aws-sdk/client-ec2";
import type { EndpointPolicies } from "@garrison/roles/policy-reader";
import type { Call } from "@garrison/roles/prober";
import { readEndpoints } from "./network/read-endpoints.ts";
import { readRouteTable } from "./network/read-route-table.ts";

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
  // "available" in the documentation's list of values, "Available" in the model's.
  const endpoints = (await readEndpoints(ec2, vpcId, call)).filter(
    ({ State }) => State?.toLowerCase() === "available",
  );
  const gateways = endpoints.filter(({ VpcEndpointType }) => VpcEndpointType === "Gateway");
  const table = gateways.length === 0 ? undefined : await readRouteTable(ec2, { subnetId, vpcId }, call);
  const tableId = table?.RouteTableId ?? "";
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
