import { containsIpRange, parseIpRange } from "@garrison/iam/ip-range";
import type { GroupFact, GroupRule, NetworkFacts } from "./network-facts.ts";

export interface Peer {
  readonly direction: "in" | "out";
  /** Every address of it has to be allowed. */
  readonly cidr: string;
  readonly groupIds?: readonly string[];
  readonly prefixListIds?: readonly string[];
}

const httpsPort = 443;

/** Whether any rule of these security groups lets HTTPS pass to or from the peer. */
export function allowsHttps(groups: readonly GroupFact[], peer: Peer): boolean {
  return groups.some(({ rules }) =>
    rules.some((rule) => rule.direction === peer.direction && isAboutHttps(rule) && isAbout(rule, peer)),
  );
}

function isAboutHttps({ protocol, fromPort, toPort }: GroupRule): boolean {
  if (protocol === "-1") return true;
  if (protocol !== "tcp" && protocol !== "6") return false;
  return (fromPort ?? 0) <= httpsPort && httpsPort <= (toPort ?? 65_535);
}

function isAbout(rule: GroupRule, peer: Peer): boolean {
  if (rule.groupIds.some((id) => peer.groupIds?.includes(id))) return true;
  if (rule.prefixListIds.some((id) => peer.prefixListIds?.includes(id))) return true;
  const inner = parseIpRange(peer.cidr);
  if (inner === undefined) return false;
  return rule.cidrs.some((cidr) => {
    const outer = parseIpRange(cidr);
    return outer !== undefined && containsIpRange(outer, inner);
  });
}

/** Those of the groups that could be read. */
export function groupsNamed({ groups }: NetworkFacts, ids: readonly string[]): readonly GroupFact[] {
  return "known" in groups ? groups.known.filter(({ groupId }) => ids.includes(groupId)) : [];
}
