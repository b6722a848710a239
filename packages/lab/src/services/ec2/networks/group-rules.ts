import { isInside } from "./addresses.ts";
import type { SecurityGroupRecord, SecurityGroupRule } from "./network-records.ts";

/** The other end of a connection, as a rule may name it. */
export interface Peer {
  readonly address: string;
  readonly groupIds?: readonly string[];
  readonly prefixListId?: string;
}

const httpsPort = 443;

/** Whether any of the groups lets HTTPS go out to that peer, or come in from it. Groups only allow. */
export function allowsHttps(
  groups: readonly SecurityGroupRecord[],
  direction: "egress" | "ingress",
  peer: Peer,
): boolean {
  const rules = groups.flatMap((group) => group.rules);
  return rules.some(
    (rule) => rule.egress === (direction === "egress") && isForHttps(rule) && names(rule, peer),
  );
}

function isForHttps({ protocol, fromPort = 0, toPort = 65_535 }: SecurityGroupRule): boolean {
  if (protocol === "-1") return true;
  return (protocol === "tcp" || protocol === "6") && fromPort <= httpsPort && httpsPort <= toPort;
}

function names({ cidrIpv4, groupId, prefixListId }: SecurityGroupRule, peer: Peer): boolean {
  if (cidrIpv4 !== undefined) return isInside(cidrIpv4, peer.address);
  if (groupId !== undefined) return peer.groupIds?.includes(groupId) ?? false;
  return prefixListId !== undefined && prefixListId === peer.prefixListId;
}
