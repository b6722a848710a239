import type { Call } from "../../../wire/operation-handler.ts";
import { notFound } from "../shared/ec2-errors.ts";
import { MissingResource } from "../shared/missing-resource.ts";
import { isOwned } from "../shared/owned-records.ts";
import type {
  InternetGatewayRecord,
  NatGatewayRecord,
  NetworkInterfaceRecord,
  RouteTableRecord,
  SecurityGroupRecord,
  SubnetRecord,
  VpcEndpointRecord,
  VpcRecord,
} from "./network-records.ts";

/** The named part of the caller's network, or AWS's NotFound error. */
export function findVpc(call: Call, vpcId: string): VpcRecord {
  const vpc = call.lab.ec2.tables.vpcs.get(vpcId);
  if (!isOwned(call, vpc)) throw notFound("InvalidVpcID.NotFound", "vpc ID", vpcId);
  return vpc;
}

export function findSubnet(call: Call, subnetId: string): SubnetRecord {
  const subnet = call.lab.ec2.tables.subnets.get(subnetId);
  if (!isOwned(call, subnet)) throw notFound("InvalidSubnetID.NotFound", "subnet ID", subnetId);
  return subnet;
}

export function findSecurityGroup(call: Call, groupId: string): SecurityGroupRecord {
  const group = call.lab.ec2.tables.securityGroups.get(groupId);
  if (!isOwned(call, group)) throw notFound("InvalidGroup.NotFound", "security group", groupId);
  return group;
}

export function findNetworkInterface(call: Call, networkInterfaceId: string): NetworkInterfaceRecord {
  const nic = call.lab.ec2.tables.networkInterfaces.get(networkInterfaceId);
  if (!isOwned(call, nic)) {
    throw notFound("InvalidNetworkInterfaceID.NotFound", "network interface", networkInterfaceId);
  }
  return nic;
}

export function findRouteTable(call: Call, routeTableId: string): RouteTableRecord {
  const table = call.lab.ec2.tables.routeTables.get(routeTableId);
  if (!isOwned(call, table)) throw noRouteTable(routeTableId);
  return table;
}

export function noRouteTable(id: string): Error {
  return notFound("InvalidRouteTableID.NotFound", "routeTable ID", id);
}

export function findInternetGateway(call: Call, internetGatewayId: string): InternetGatewayRecord {
  const gateway = call.lab.ec2.tables.internetGateways.get(internetGatewayId);
  if (!isOwned(call, gateway)) throw noInternetGateway(internetGatewayId);
  return gateway;
}

export function noInternetGateway(id: string): Error {
  return notFound("InvalidInternetGatewayID.NotFound", "internetGateway ID", id);
}

export function findNatGateway(call: Call, natGatewayId: string): NatGatewayRecord {
  const gateway = call.lab.ec2.tables.natGateways.get(natGatewayId);
  if (!isOwned(call, gateway)) throw noNatGateway(natGatewayId);
  return gateway;
}

export function noNatGateway(id: string): Error {
  return new MissingResource("NatGatewayNotFound", `The Nat Gateway ${id} was not found`, id);
}

export function findVpcEndpoint(call: Call, vpcEndpointId: string): VpcEndpointRecord {
  const endpoint = call.lab.ec2.tables.vpcEndpoints.get(vpcEndpointId);
  if (!isOwned(call, endpoint)) throw noVpcEndpoint(vpcEndpointId);
  return endpoint;
}

export function noVpcEndpoint(id: string): Error {
  return notFound("InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id", id);
}
