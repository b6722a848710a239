import type { Lab } from "../../../lab.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { createMainRouteTable } from "./main-route-table.ts";
import type { DefaultNetworkRecord, SecurityGroupRecord } from "./network-records.ts";

interface Place {
  readonly accountId: string;
  readonly region: string;
}

/** Zones of every Region of the lab. */
export const zoneLetters = ["a", "b"] as const;

const noTags = {};

/**
 * The account's default VPC in a Region with a public subnet a zone, a route to the internet and its default security
 * group, made on first need.
 */
export function defaultNetwork(lab: Lab, place: Place): DefaultNetworkRecord {
  const { tables } = lab.ec2;
  const key = `${place.accountId}/${place.region}`;
  const existing = tables.defaultNetworks.get(key);
  if (existing !== undefined) return existing;
  const { accountId, region } = place;
  const vpcId = newResourceId(lab.random, "vpc");
  const vpc = { vpcId, accountId, region, cidr: "172.31.0.0/16", isDefault: true, tags: noTags };
  tables.vpcs.put(vpcId, vpc);
  createMainRouteTable(lab, vpc);
  const subnetIds = Object.fromEntries(
    zoneLetters.map((letter, index) => [
      letter,
      createDefaultSubnet(lab, { ...place, vpcId, letter, index }),
    ]),
  );
  const group = defaultSecurityGroup(lab, { ...place, vpcId });
  tables.securityGroups.put(group.groupId, group);
  const record = { vpcId, subnetIds, securityGroupId: group.groupId };
  tables.defaultNetworks.put(key, record);
  return record;
}

function createDefaultSubnet(
  lab: Lab,
  subnet: Place & { readonly vpcId: string; readonly letter: string; readonly index: number },
): string {
  const { accountId, region, vpcId, letter, index } = subnet;
  const subnetId = newResourceId(lab.random, "subnet");
  lab.ec2.tables.subnets.put(subnetId, {
    subnetId,
    vpcId,
    accountId,
    region,
    zone: `${region}${letter}`,
    cidr: `172.31.${index * 16}.0/20`,
    defaultForZone: true,
    mapPublicIp: true,
    lastHost: 9,
    tags: noTags,
  });
  return subnetId;
}

/** Everything out, and in from members: what AWS gives every VPC. */
function defaultSecurityGroup(lab: Lab, vpc: Place & { readonly vpcId: string }): SecurityGroupRecord {
  const groupId = newResourceId(lab.random, "sg");
  return {
    groupId,
    groupName: "default",
    description: "default VPC security group",
    vpcId: vpc.vpcId,
    accountId: vpc.accountId,
    region: vpc.region,
    rules: [
      { ruleId: newResourceId(lab.random, "sgr"), egress: false, protocol: "-1", groupId },
      { ruleId: newResourceId(lab.random, "sgr"), egress: true, protocol: "-1", cidrIpv4: "0.0.0.0/0" },
    ],
    tags: noTags,
  };
}
