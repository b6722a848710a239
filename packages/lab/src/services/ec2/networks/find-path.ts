import type { Ec2Tables } from "../ec2-tables.ts";
import type { InstanceRecord } from "../instances/instance-record.ts";
import { isInside, parseCidr } from "./addresses.ts";
import { endpointServiceName, prefixListsOf, publicAddressOf } from "./endpoint-services.ts";
import { allowsHttps, type Peer } from "./group-rules.ts";
import type { Route, RouteTableRecord, SecurityGroupRecord, VpcEndpointRecord } from "./network-records.ts";

/** How an instance's request gets to a service, or why it doesn't. */
export type NetworkPath =
  | { readonly kind: "internet"; readonly sourceIp: string }
  | { readonly kind: "endpoint"; readonly sourceIp: string; readonly endpoint: VpcEndpointRecord }
  | { readonly kind: "closed"; readonly why: string };

export interface Destination {
  /** The signing name. */
  readonly service: string;
  readonly region: string;
}

type NetworkTable =
  | "vpcs"
  | "routeTables"
  | "securityGroups"
  | "networkInterfaces"
  | "internetGateways"
  | "natGateways"
  | "vpcEndpoints";

/** What decides, read as it is now. */
export type NetworkTables = { readonly [Name in NetworkTable]: Pick<Ec2Tables[Name], "get" | "values"> };

/** What of an instance its way depends on. */
export type Traveller = Pick<
  InstanceRecord,
  "vpcId" | "subnetId" | "privateIp" | "publicIp" | "securityGroupIds"
>;

interface Journey {
  readonly tables: NetworkTables;
  readonly instance: Traveller;
  readonly groups: readonly SecurityGroupRecord[];
  readonly to: Destination;
}

/**
 * The name is resolved first: with private DNS it is an interface endpoint's address, and if that can't be reached
 * nothing else is tried. Otherwise it is a public address, for which the subnet's most specific route decides: a gateway
 * endpoint's, a NAT gateway's, or an internet gateway's, which needs a public address of the instance's own.
 */
export function findPath(tables: NetworkTables, instance: Traveller, to: Destination): NetworkPath {
  const groups = instance.securityGroupIds.flatMap((id) => tables.securityGroups.get(id) ?? []);
  const journey: Journey = { tables, instance, groups, to };
  const vpc = tables.vpcs.get(instance.vpcId);
  if (vpc?.enableDnsSupport === false)
    return closed(`no name is resolved in ${instance.vpcId}: enableDnsSupport is off`);
  const named = vpc?.enableDnsHostnames === false ? undefined : privatelyNamed(journey);
  return named === undefined ? byRoute(journey) : byInterface(journey, named);
}

function closed(why: string): NetworkPath {
  return { kind: "closed", why };
}

/** The endpoint that the service's own name leads to within the VPC. */
function privatelyNamed({ tables, instance, to }: Journey): VpcEndpointRecord | undefined {
  const serviceName = endpointServiceName(to.service, to.region);
  return [...tables.vpcEndpoints.values()].find(
    (endpoint) =>
      endpoint.vpcId === instance.vpcId &&
      endpoint.serviceName === serviceName &&
      endpoint.state === "available" &&
      endpoint.privateDns &&
      endpoint.privateDnsInboundOnly !== true &&
      endpoint.networkInterfaceIds.length > 0,
  );
}

function byInterface({ tables, instance, groups }: Journey, endpoint: VpcEndpointRecord): NetworkPath {
  const { vpcEndpointId: id, networkInterfaceIds, securityGroupIds: groupIds } = endpoint;
  const addresses = networkInterfaceIds.flatMap((one) => tables.networkInterfaces.get(one)?.privateIp ?? []);
  const goesOut = addresses.some((address) => allowsHttps(groups, "egress", { address, groupIds }));
  if (!goesOut) return closed(`the instance's security groups let nothing out to ${id} on port 443`);
  const own = { address: instance.privateIp, groupIds: instance.securityGroupIds };
  const endpointGroups = groupIds.flatMap((one) => tables.securityGroups.get(one) ?? []);
  if (!allowsHttps(endpointGroups, "ingress", own))
    return closed(`the security groups of ${id} let nothing in from the instance on port 443`);
  return { kind: "endpoint", sourceIp: instance.privateIp, endpoint };
}

function byRoute(journey: Journey): NetworkPath {
  const { tables, instance, groups, to } = journey;
  const peer = publicPeer(to);
  const route = mostSpecificRoute(tableOfSubnet(tables, instance), peer.address);
  if (route === undefined) return closed(`no route of ${instance.subnetId} leads to ${to.service}`);
  if (!allowsHttps(groups, "egress", peer))
    return closed(`the instance's security groups let nothing out to ${to.service} on port 443`);
  const endpoint = tables.vpcEndpoints.get(route.target);
  if (endpoint?.state === "available") return { kind: "endpoint", sourceIp: instance.privateIp, endpoint };
  if (route.target.startsWith("nat-")) return byNat(journey, route.target, peer);
  if (tables.internetGateways.get(route.target)?.vpcId !== instance.vpcId)
    return closed(`the route of ${instance.subnetId} to ${route.target} is a black hole`);
  if (instance.publicIp === undefined)
    return closed(`the instance has no public address, which ${route.target} needs`);
  return { kind: "internet", sourceIp: instance.publicIp };
}

function byNat({ tables, instance }: Journey, natGatewayId: string, peer: Peer): NetworkPath {
  const nat = tables.natGateways.get(natGatewayId);
  if (nat?.state !== "available")
    return closed(`the route of ${instance.subnetId} to ${natGatewayId} is a black hole`);
  const onward = mostSpecificRoute(tableOfSubnet(tables, nat), peer.address);
  const isAttached = onward !== undefined && tables.internetGateways.get(onward.target)?.vpcId === nat.vpcId;
  if (nat.publicIp === undefined || !isAttached) return closed(`${natGatewayId} has no way to the internet`);
  return { kind: "internet", sourceIp: nat.publicIp };
}

function publicPeer({ service, region }: Destination): Peer {
  const address = publicAddressOf(service, region);
  const list = prefixListsOf(region).find(({ cidrs }) => cidrs.some((cidr) => isInside(cidr, address)));
  return { address, ...(list === undefined ? {} : { prefixListId: list.prefixListId }) };
}

function tableOfSubnet(
  { routeTables }: NetworkTables,
  { subnetId, vpcId }: { readonly subnetId: string; readonly vpcId: string },
): RouteTableRecord | undefined {
  const inVpc = [...routeTables.values()].filter((table) => table.vpcId === vpcId);
  const associated = inVpc.find((table) => table.associations.some((one) => one.subnetId === subnetId));
  return associated ?? inVpc.find((table) => table.associations.some((one) => one.subnetId === undefined));
}

function mostSpecificRoute(table: RouteTableRecord | undefined, address: string): Route | undefined {
  let best: { readonly route: Route; readonly size: number } | undefined;
  for (const route of table?.routes ?? []) {
    const sizes = rangesOf(route, table!.region)
      .filter((cidr) => isInside(cidr, address))
      .map((cidr) => parseCidr(cidr).size);
    const size = Math.min(...sizes);
    if (sizes.length > 0 && (best === undefined || size < best.size)) best = { route, size };
  }
  return best?.route;
}

function rangesOf({ destination }: Route, region: string): readonly string[] {
  if (!destination.startsWith("pl-")) return [destination];
  return prefixListsOf(region).find(({ prefixListId }) => prefixListId === destination)?.cidrs ?? [];
}
