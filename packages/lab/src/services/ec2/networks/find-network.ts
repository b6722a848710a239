import type { Call } from "../../../wire/operation-handler.ts";
import { notFound } from "../shared/ec2-errors.ts";
import { isOwned } from "../shared/owned-records.ts";
import type {
  NetworkInterfaceRecord,
  SecurityGroupRecord,
  SubnetRecord,
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
