import type { CreateSubnetCommandInput, DeleteSubnetCommandInput } from "@aws-sdk/client-ec2";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { invalidParameter, missingParameter } from "../shared/ec2-errors.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { permit } from "../shared/permit.ts";
import { ec2Arn, subnetAccess } from "../shared/resource-access.ts";
import { requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { parseCidr } from "./addresses.ts";
import { zoneLetters } from "./default-network.ts";
import { formatSubnet } from "./describe-networks.ts";
import { findSubnet, findVpc } from "./find-network.ts";
import { vpcAccess } from "./network-access.ts";
import type { SubnetRecord, VpcRecord } from "./network-records.ts";

/** A private one until a route leads out of it: instances get no public address, and the VPC's main table is its own. */
export function createSubnet(input: CreateSubnetCommandInput, call: Call): object {
  if (input.VpcId === undefined) throw missingParameter("vpcId");
  if (input.CidrBlock === undefined) throw missingParameter("cidrBlock");
  const vpc = findVpc(call, input.VpcId);
  const tags = tagsFor(input.TagSpecifications, "subnet");
  const created = {
    arn: ec2Arn(call, { accountId: call.accountId, path: "subnet/*" }),
    accountId: call.accountId,
  };
  permit(call, input.DryRun, [
    {
      action: "ec2:CreateSubnet",
      resources: [created, vpcAccess(call, vpc)],
      context: { "ec2:Region": call.region, ...requestTagContext(tags) },
    },
    ...tagOnCreate(call, "CreateSubnet", { resource: created, tags }),
  ]);
  checkCidr(call, vpc, input.CidrBlock);
  const { accountId, region } = call;
  const subnet: SubnetRecord = {
    subnetId: newResourceId(call.lab.random, "subnet"),
    vpcId: vpc.vpcId,
    accountId,
    region,
    zone: readZone(call, input.AvailabilityZone),
    cidr: input.CidrBlock,
    defaultForZone: false,
    mapPublicIp: false,
    lastHost: 9,
    tags,
  };
  call.lab.ec2.tables.subnets.put(subnet.subnetId, subnet);
  return { Subnet: formatSubnet(call, subnet) };
}

export function deleteSubnet(input: DeleteSubnetCommandInput, call: Call): object {
  if (input.SubnetId === undefined) throw missingParameter("subnetId");
  const subnet = findSubnet(call, input.SubnetId);
  permit(call, input.DryRun, [{ action: "ec2:DeleteSubnet", resources: [subnetAccess(call, subnet)] }]);
  const { subnetId } = subnet;
  const { networkInterfaces, natGateways, routeTables, subnets } = call.lab.ec2.tables;
  const used =
    [...networkInterfaces.values()].some((nic) => nic.subnetId === subnetId) ||
    [...natGateways.values()].some((nat) => nat.subnetId === subnetId && nat.state !== "deleted");
  if (used) {
    const message = `The subnet '${subnetId}' has dependencies and cannot be deleted.`;
    throw new AwsError("DependencyViolation", message);
  }
  for (const table of routeTables.values()) {
    const associations = table.associations.filter((one) => one.subnetId !== subnetId);
    if (associations.length < table.associations.length)
      routeTables.put(table.routeTableId, { ...table, associations });
  }
  subnets.delete(subnetId);
  return {};
}

function checkCidr(call: Call, vpc: VpcRecord, cidr: string): void {
  const { base, size } = parseCidr(cidr);
  const network = parseCidr(vpc.cidr);
  const isInside = base >= network.base && base + size <= network.base + network.size;
  if (!isInside || size < 16 || base % size !== 0) {
    throw new AwsError("InvalidSubnet.Range", `The CIDR '${cidr}' is invalid.`);
  }
  const others = [...call.lab.ec2.tables.subnets.values()].filter(({ vpcId }) => vpcId === vpc.vpcId);
  const conflicts = others.map((other) => parseCidr(other.cidr));
  if (conflicts.some((other) => base < other.base + other.size && other.base < base + size)) {
    throw new AwsError("InvalidSubnet.Conflict", `The CIDR '${cidr}' conflicts with another subnet`);
  }
}

function readZone(call: Call, zone = `${call.region}${zoneLetters[0]}`): string {
  if (zoneLetters.some((letter) => zone === `${call.region}${letter}`)) return zone;
  throw invalidParameter(`Value (${zone}) for parameter availabilityZone is invalid.`);
}
