import type { IpPermission } from "@aws-sdk/client-ec2";
import type { Lab } from "../../../lab.ts";
import { missingParameter } from "../shared/ec2-errors.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { parseCidr } from "./addresses.ts";
import type { SecurityGroupRecord, SecurityGroupRule } from "./network-records.ts";

/** One rule a peer, as AWS keeps them since rules have ids. */
export function readPermissions(
  lab: Lab,
  permissions: readonly IpPermission[],
  egress: boolean,
): SecurityGroupRule[] {
  return permissions.flatMap((permission) => {
    if (permission.IpProtocol === undefined) throw missingParameter("ipProtocol");
    const base = {
      egress,
      protocol: permission.IpProtocol,
      ...(permission.FromPort === undefined ? {} : { fromPort: permission.FromPort }),
      ...(permission.ToPort === undefined ? {} : { toPort: permission.ToPort }),
    };
    const rules = readPeers(permission).map((peer) => ({
      ruleId: newResourceId(lab.random, "sgr"),
      ...base,
      ...peer,
    }));
    if (rules.length === 0) throw missingParameter("ipRanges");
    return rules;
  });
}

type Peer = Pick<SecurityGroupRule, "cidrIpv4" | "cidrIpv6" | "groupId" | "prefixListId" | "description">;

function readPeers(permission: IpPermission): Peer[] {
  const peers: Peer[] = [];
  for (const { CidrIp = "", Description: description } of permission.IpRanges ?? []) {
    parseCidr(CidrIp);
    peers.push({ cidrIpv4: CidrIp, ...(description === undefined ? {} : { description }) });
  }
  for (const { CidrIpv6 = "" } of permission.Ipv6Ranges ?? []) peers.push({ cidrIpv6: CidrIpv6 });
  for (const { GroupId = "" } of permission.UserIdGroupPairs ?? []) peers.push({ groupId: GroupId });
  for (const { PrefixListId = "" } of permission.PrefixListIds ?? [])
    peers.push({ prefixListId: PrefixListId });
  return peers;
}

export function sameRule(left: SecurityGroupRule, right: SecurityGroupRule): boolean {
  const keys = [
    "egress",
    "protocol",
    "fromPort",
    "toPort",
    "cidrIpv4",
    "cidrIpv6",
    "groupId",
    "prefixListId",
  ] as const;
  return keys.every((key) => left[key] === right[key]);
}

/** Rules with the same protocol and ports are one permission in the answer. */
export function formatPermissions(group: SecurityGroupRecord, egress: boolean): IpPermission[] {
  const rules = group.rules.filter((rule) => rule.egress === egress);
  const byPorts = Map.groupBy(rules, (rule) => [rule.protocol, rule.fromPort, rule.toPort].join("/"));
  return [...byPorts.values()].map((same) => ({
    IpProtocol: same[0]!.protocol,
    FromPort: same[0]!.fromPort,
    ToPort: same[0]!.toPort,
    IpRanges: same.flatMap((rule) =>
      rule.cidrIpv4 === undefined ? [] : [{ CidrIp: rule.cidrIpv4, Description: rule.description }],
    ),
    Ipv6Ranges: same.flatMap((rule) => (rule.cidrIpv6 === undefined ? [] : [{ CidrIpv6: rule.cidrIpv6 }])),
    UserIdGroupPairs: same.flatMap((rule) =>
      rule.groupId === undefined ? [] : [{ GroupId: rule.groupId, UserId: group.accountId }],
    ),
    PrefixListIds: same.flatMap((rule) =>
      rule.prefixListId === undefined ? [] : [{ PrefixListId: rule.prefixListId }],
    ),
  }));
}
