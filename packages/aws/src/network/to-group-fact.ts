import type { IpPermission, SecurityGroup } from "@aws-sdk/client-ec2";
import type { GroupFact, GroupRule } from "@garrison/roles/network/network-facts";

export function toGroupFact({ GroupId, IpPermissions, IpPermissionsEgress }: SecurityGroup): GroupFact {
  return {
    groupId: GroupId ?? "",
    rules: [
      ...(IpPermissions ?? []).map((rule) => toRule("in", rule)),
      ...(IpPermissionsEgress ?? []).map((rule) => toRule("out", rule)),
    ],
  };
}

function toRule(direction: GroupRule["direction"], permission: IpPermission): GroupRule {
  const { FromPort: fromPort, ToPort: toPort } = permission;
  return {
    direction,
    protocol: permission.IpProtocol ?? "-1",
    ...(fromPort === undefined ? {} : { fromPort }),
    ...(toPort === undefined ? {} : { toPort }),
    cidrs: (permission.IpRanges ?? []).flatMap(({ CidrIp }) => CidrIp ?? []),
    groupIds: (permission.UserIdGroupPairs ?? []).flatMap(({ GroupId }) => GroupId ?? []),
    prefixListIds: (permission.PrefixListIds ?? []).flatMap(({ PrefixListId }) => PrefixListId ?? []),
  };
}
