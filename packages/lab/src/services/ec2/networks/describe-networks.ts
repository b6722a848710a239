import type { DescribeSubnetsCommandInput, DescribeVpcsCommandInput, Subnet, Vpc } from "@aws-sdk/client-ec2";
import type { Call } from "../../../wire/operation-handler.ts";
import { notFound } from "../shared/ec2-errors.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { selectRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";
import { ec2Arn } from "../shared/resource-access.ts";
import { formatTags } from "../tags/tag-specifications.ts";
import { freeAddressCount } from "./addresses.ts";
import { defaultNetwork } from "./default-network.ts";
import type { SubnetRecord, VpcRecord } from "./network-records.ts";

const vpcFilters: FilterTable<VpcRecord> = {
  "vpc-id": (vpc) => vpc.vpcId,
  cidr: (vpc) => vpc.cidr,
  "cidr-block-association.cidr-block": (vpc) => vpc.cidr,
  "is-default": (vpc) => String(vpc.isDefault),
  isDefault: (vpc) => String(vpc.isDefault),
  "owner-id": (vpc) => vpc.accountId,
  state: () => "available",
};

const subnetFilters: FilterTable<SubnetRecord> = {
  "subnet-id": (subnet) => subnet.subnetId,
  "vpc-id": (subnet) => subnet.vpcId,
  "availability-zone": (subnet) => subnet.zone,
  availabilityZone: (subnet) => subnet.zone,
  "availability-zone-id": (subnet) => zoneId(subnet.zone),
  "cidr-block": (subnet) => subnet.cidr,
  cidr: (subnet) => subnet.cidr,
  "default-for-az": (subnet) => String(subnet.defaultForZone),
  defaultForAz: (subnet) => String(subnet.defaultForZone),
  "map-public-ip-on-launch": (subnet) => String(subnet.mapPublicIp),
  "owner-id": (subnet) => subnet.accountId,
  state: () => "available",
};

export function describeVpcs(input: DescribeVpcsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeVpcs");
  defaultNetwork(call.lab, call);
  const named = selectRecords(call, call.lab.ec2.tables.vpcs, {
    named: input.VpcIds,
    missing: (id) => notFound("InvalidVpcID.NotFound", "vpc ID", id),
  });
  const page = pageRecords(filterRecords(named, input.Filters, vpcFilters), input, (vpc) => vpc.vpcId);
  return { Vpcs: page.items.map(formatVpc), NextToken: page.NextToken };
}

export function describeSubnets(input: DescribeSubnetsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeSubnets");
  defaultNetwork(call.lab, call);
  const named = selectRecords(call, call.lab.ec2.tables.subnets, {
    named: input.SubnetIds,
    missing: (id) => notFound("InvalidSubnetID.NotFound", "subnet ID", id),
  });
  const page = pageRecords(
    filterRecords(named, input.Filters, subnetFilters),
    input,
    (subnet) => subnet.subnetId,
  );
  return { Subnets: page.items.map((subnet) => formatSubnet(call, subnet)), NextToken: page.NextToken };
}

/** `eu-central-1a` -> `euc1-az1`. */
export function zoneId(zone: string): string {
  const [area = "", direction = "", number = ""] = zone.split("-");
  const letter = zone.at(-1)!;
  const short = /^(?:north|south|east|west|central)/.exec(direction)?.[0]?.[0] ?? "";
  const second = /(?:east|west)$/.exec(direction)?.[0]?.[0] ?? "";
  const both = direction === "east" || direction === "west" ? short : short + second;
  return `${area}${both}${number.slice(0, -1)}-az${letter.charCodeAt(0) - 96}`;
}

function formatVpc(vpc: VpcRecord): Vpc {
  return {
    VpcId: vpc.vpcId,
    State: "available",
    CidrBlock: vpc.cidr,
    IsDefault: vpc.isDefault,
    OwnerId: vpc.accountId,
    InstanceTenancy: "default",
    DhcpOptionsId: "dopt-00000000",
    CidrBlockAssociationSet: [
      {
        AssociationId: vpc.vpcId.replace("vpc-", "vpc-cidr-assoc-"),
        CidrBlock: vpc.cidr,
        CidrBlockState: { State: "associated" },
      },
    ],
    Tags: formatTags(vpc.tags),
  };
}

export function formatSubnet(call: Call, subnet: SubnetRecord): Subnet {
  return {
    SubnetId: subnet.subnetId,
    SubnetArn: ec2Arn(call, { accountId: subnet.accountId, path: `subnet/${subnet.subnetId}` }),
    VpcId: subnet.vpcId,
    State: "available",
    CidrBlock: subnet.cidr,
    AvailabilityZone: subnet.zone,
    AvailabilityZoneId: zoneId(subnet.zone),
    AvailableIpAddressCount: freeAddressCount(call.lab, subnet),
    DefaultForAz: subnet.defaultForZone,
    MapPublicIpOnLaunch: subnet.mapPublicIp,
    AssignIpv6AddressOnCreation: false,
    Ipv6Native: false,
    EnableDns64: false,
    OwnerId: subnet.accountId,
    Tags: formatTags(subnet.tags),
  };
}
