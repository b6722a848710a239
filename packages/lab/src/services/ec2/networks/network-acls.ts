import type { DescribeNetworkAclsCommandInput, NetworkAcl, NetworkAclEntry } from "@aws-sdk/client-ec2";
import type { Lab } from "../../../lab.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { notFound } from "../shared/ec2-errors.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { ownedRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permitAny } from "../shared/permit.ts";
import { defaultNetwork } from "./default-network.ts";
import type { VpcRecord } from "./network-records.ts";

interface DefaultAcl {
  readonly networkAclId: string;
  readonly vpc: VpcRecord;
  readonly subnetIds: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

const filters: FilterTable<DefaultAcl> = {
  "network-acl-id": (acl) => acl.networkAclId,
  "vpc-id": (acl) => acl.vpc.vpcId,
  "owner-id": (acl) => acl.vpc.accountId,
  default: () => "true",
  "association.subnet-id": (acl) => acl.subnetIds,
  "association.network-acl-id": (acl) => (acl.subnetIds.length > 0 ? acl.networkAclId : undefined),
};

/** Each VPC has the one that AWS gives it, which lets everything pass; the lab can't make others. */
export function describeNetworkAcls(input: DescribeNetworkAclsCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeNetworkAcls");
  defaultNetwork(call.lab, call);
  const all = ownedRecords(call, call.lab.ec2.tables.vpcs.values()).map((vpc) => defaultAcl(call.lab, vpc));
  const named = input.NetworkAclIds?.length ? input.NetworkAclIds.map((id) => pick(all, id)) : all;
  const page = pageRecords(filterRecords(named, input.Filters, filters), input, (acl) => acl.networkAclId);
  return { NetworkAcls: page.items.map(formatAcl), NextToken: page.NextToken };
}

function pick(all: readonly DefaultAcl[], id: string): DefaultAcl {
  const found = all.find(({ networkAclId }) => networkAclId === id);
  if (found === undefined) throw notFound("InvalidNetworkAclID.NotFound", "networkAcl ID", id);
  return found;
}

function defaultAcl(lab: Lab, vpc: VpcRecord): DefaultAcl {
  const subnets = [...lab.ec2.tables.subnets.values()].filter(({ vpcId }) => vpcId === vpc.vpcId);
  const networkAclId = vpc.vpcId.replace("vpc-", "acl-");
  return { networkAclId, vpc, subnetIds: subnets.map(({ subnetId }) => subnetId), tags: {} };
}

function formatAcl({ networkAclId, vpc, subnetIds }: DefaultAcl): NetworkAcl {
  return {
    NetworkAclId: networkAclId,
    VpcId: vpc.vpcId,
    OwnerId: vpc.accountId,
    IsDefault: true,
    Associations: subnetIds.map((subnetId) => ({
      NetworkAclAssociationId: subnetId.replace("subnet-", "aclassoc-"),
      NetworkAclId: networkAclId,
      SubnetId: subnetId,
    })),
    Entries: [true, false].flatMap((egress) => [entry(egress, 100), entry(egress, 32_767)]),
    Tags: [],
  };
}

function entry(egress: boolean, ruleNumber: number): NetworkAclEntry {
  return {
    Egress: egress,
    RuleNumber: ruleNumber,
    Protocol: "-1",
    CidrBlock: "0.0.0.0/0",
    RuleAction: ruleNumber === 100 ? "allow" : "deny",
  };
}
