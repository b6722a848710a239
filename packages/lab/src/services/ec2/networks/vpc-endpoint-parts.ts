import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { newMacAddress, takePrivateIp } from "./addresses.ts";
import { prefixListOf } from "./endpoint-services.ts";
import type { RouteTableRecord, SubnetRecord, VpcEndpointRecord, VpcRecord } from "./network-records.ts";

/** What an interface endpoint must not be given; AWS calls it InvalidParameter, not InvalidParameterValue. */
export function invalid(message: string): AwsError {
  return new AwsError("InvalidParameter", message);
}

/** Private names need both of the VPC's DNS attributes, and nobody else who answers for the same name. */
export function checkPrivateDns(call: Call, vpc: VpcRecord, serviceName: string): void {
  const { vpcId, enableDnsSupport = true, enableDnsHostnames = true } = vpc;
  if (!enableDnsSupport || !enableDnsHostnames) {
    throw invalid(
      `Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ${vpcId}`,
    );
  }
  const taken = [...call.lab.ec2.tables.vpcEndpoints.values()].some(
    (other) =>
      other.vpcId === vpcId &&
      other.serviceName === serviceName &&
      other.privateDns &&
      other.state !== "deleting",
  );
  if (!taken) return;
  const [service, region] = serviceName.split(".").reverse();
  throw invalid(
    `private-dns-enabled cannot be set because there is already a conflicting DNS domain for ${service}.${region}.amazonaws.com in the VPC ${vpcId}`,
  );
}

/** Private DNS of an S3 interface endpoint serves only the VPC's resolvers for others, unless it is told not to. */
export function checkInboundOnly(call: Call, vpcId: string, serviceName: string): void {
  const hasGateway = [...call.lab.ec2.tables.vpcEndpoints.values()].some(
    (other) => other.vpcId === vpcId && other.serviceName === serviceName && other.type === "Gateway",
  );
  if (hasGateway) return;
  throw invalid(
    `To set PrivateDnsOnlyForInboundResolverEndpoint to true, the VPC ${vpcId} must have a Gateway endpoint for the service.`,
  );
}

export function checkZones(subnets: readonly SubnetRecord[]): void {
  const zones = new Set<string>();
  for (const { zone, subnetId } of subnets) {
    if (zones.has(zone)) {
      const message = `Found another VPC endpoint subnet in the availability zone of ${subnetId}`;
      throw new AwsError("DuplicateSubnetsInSameZone", message);
    }
    zones.add(zone);
  }
}

/** An interface endpoint's address in a subnet: a network interface that only the endpoint may take away. */
export function addEndpointInterface(
  call: Call,
  endpoint: Pick<VpcEndpointRecord, "vpcEndpointId" | "securityGroupIds">,
  subnet: SubnetRecord,
): string {
  const { lab, accountId, region } = call;
  const networkInterfaceId = newResourceId(lab.random, "eni");
  lab.ec2.tables.networkInterfaces.put(networkInterfaceId, {
    networkInterfaceId,
    accountId,
    region,
    zone: subnet.zone,
    vpcId: subnet.vpcId,
    subnetId: subnet.subnetId,
    privateIp: takePrivateIp(lab, subnet, undefined),
    macAddress: newMacAddress(lab),
    description: `VPC Endpoint Interface ${endpoint.vpcEndpointId}`,
    securityGroupIds: endpoint.securityGroupIds,
    status: "in-use",
    vpcEndpointId: endpoint.vpcEndpointId,
    tags: {},
  });
  return networkInterfaceId;
}

/** A gateway endpoint's route in one table: the service's public addresses, to the endpoint. */
export function addEndpointRoute(call: Call, endpoint: VpcEndpointRecord, table: RouteTableRecord): void {
  const service = endpoint.serviceName.split(".").at(-1)!;
  const { prefixListId } = prefixListOf(service, call.region);
  if (table.vpcId !== endpoint.vpcId) {
    const message = `Route table ${table.routeTableId} and endpoint belong to different networks`;
    throw new AwsError("InvalidParameterValue", message);
  }
  if (table.routes.some(({ destination }) => destination === prefixListId)) {
    const message = `route table ${table.routeTableId} already has a route with destination-prefix-list-id ${prefixListId}`;
    throw new AwsError("RouteAlreadyExists", message);
  }
  const route = { destination: prefixListId, target: endpoint.vpcEndpointId, origin: "CreateRoute" } as const;
  call.lab.ec2.tables.routeTables.put(table.routeTableId, { ...table, routes: [...table.routes, route] });
}

export function removeEndpointRoute(call: Call, vpcEndpointId: string, routeTableId: string): void {
  const tables = call.lab.ec2.tables.routeTables;
  const table = tables.get(routeTableId);
  if (table === undefined) return;
  const routes = table.routes.filter(({ target }) => target !== vpcEndpointId);
  tables.put(routeTableId, { ...table, routes });
}
