import type { RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { defaultNetwork } from "../networks/default-network.ts";
import { findNetworkInterface, findSecurityGroup, findSubnet } from "../networks/find-network.ts";
import type { SecurityGroupRecord, SubnetRecord } from "../networks/network-records.ts";
import { notFound } from "../shared/ec2-errors.ts";
import { ownedRecords } from "../shared/owned-records.ts";
import type { PlannedNetwork } from "./launch-plan.ts";

/** Subnet, groups and address of a launch, in either of the two ways to give them; by default the default VPC's. */
export function readLaunchNetwork(input: RunInstancesCommandInput, call: Call): PlannedNetwork {
  const nic = input.NetworkInterfaces?.[0];
  const mixed =
    input.SubnetId !== undefined ||
    Boolean(input.SecurityGroupIds?.length) ||
    input.PrivateIpAddress !== undefined;
  if (nic !== undefined && mixed) {
    throw new AwsError(
      "InvalidParameterCombination",
      "Network interfaces and an instance-level subnet ID, security group or address may not be specified on the same request",
    );
  }
  if (nic?.NetworkInterfaceId !== undefined) return existingInterface(call, nic.NetworkInterfaceId);
  const subnet = chooseSubnet(call, nic?.SubnetId ?? input.SubnetId, input.Placement?.AvailabilityZone);
  const privateIp = nic?.PrivateIpAddress ?? input.PrivateIpAddress;
  if (privateIp !== undefined && input.MaxCount !== 1) {
    throw new AwsError(
      "InvalidParameterCombination",
      "A private address can only be given for a single instance.",
    );
  }
  return {
    subnet,
    groups: chooseGroups(call, nic?.Groups ?? input.SecurityGroupIds, {
      names: input.SecurityGroups,
      subnet,
    }),
    ...(privateIp === undefined ? {} : { privateIp }),
    publicIp: nic?.AssociatePublicIpAddress ?? subnet.mapPublicIp,
    deleteOnTermination: nic?.DeleteOnTermination ?? true,
  };
}

function existingInterface(call: Call, networkInterfaceId: string): PlannedNetwork {
  const existing = findNetworkInterface(call, networkInterfaceId);
  if (existing.status === "in-use") {
    throw new AwsError(
      "InvalidNetworkInterface.InUse",
      `Interface '${networkInterfaceId}' is currently in use.`,
    );
  }
  return {
    existing,
    subnet: findSubnet(call, existing.subnetId),
    groups: existing.securityGroupIds.map((id) => findSecurityGroup(call, id)),
    publicIp: false,
    deleteOnTermination: false,
  };
}

function chooseSubnet(call: Call, subnetId: string | undefined, zone: string | undefined): SubnetRecord {
  if (subnetId !== undefined) return findSubnet(call, subnetId);
  const { subnetIds } = defaultNetwork(call.lab, call);
  const chosen = subnetIds[zone === undefined ? "a" : zone.slice(call.region.length)];
  if (chosen === undefined || (zone !== undefined && !zone.startsWith(call.region))) {
    throw new AwsError("InvalidParameterValue", `Invalid availability zone: [${zone}]`);
  }
  return findSubnet(call, chosen);
}

function chooseGroups(
  call: Call,
  ids: readonly string[] | undefined,
  other: { readonly names: readonly string[] | undefined; readonly subnet: SubnetRecord },
): SecurityGroupRecord[] {
  const { vpcId, subnetId } = other.subnet;
  const inVpc = ownedRecords(call, call.lab.ec2.tables.securityGroups.values()).filter(
    (group) => group.vpcId === vpcId,
  );
  const byName = (name: string): SecurityGroupRecord => {
    const group = inVpc.find((one) => one.groupName === name);
    if (group === undefined) throw notFound("InvalidGroup.NotFound", "security group", name);
    return group;
  };
  const named = [...(ids ?? []).map((id) => findSecurityGroup(call, id)), ...(other.names ?? []).map(byName)];
  const foreign = named.find((group) => group.vpcId !== vpcId);
  if (foreign !== undefined) {
    throw new AwsError(
      "InvalidParameter",
      `Security group ${foreign.groupId} and subnet ${subnetId} belong to different networks.`,
    );
  }
  return named.length > 0 ? named : [byName("default")];
}
