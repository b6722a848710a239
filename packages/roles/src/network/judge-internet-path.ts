import type { Verdict } from "../chain-report.ts";
import { allowsHttps, groupsNamed } from "./allows-https.ts";
import type { NetworkFacts, RouteFact } from "./network-facts.ts";

export interface PathJudgement {
  readonly verdict: Verdict;
  readonly sentence: string;
  readonly fix?: string;
  /** There is a way out, and only the worker's own security groups close it: an endpoint would not help. */
  readonly isWayOutClosed?: true;
}

const everywhere = "0.0.0.0/0";

/** Whether the subnet leads to AWS's public addresses: by an internet gateway with a public address, or by NAT. */
export function judgeInternetPath(facts: NetworkFacts): PathJudgement {
  const { routeTable, groups, groupIds, subnetId } = facts;
  if ("unread" in routeTable) return { verdict: "unknown", sentence: routeTable.unread };
  const { routeTableId, routes } = routeTable.known;
  const route = routes.find(({ destination }) => destination === everywhere);
  if (route === undefined) {
    return { verdict: "failed", sentence: `${routeTableId} has no route out of ${subnetId}.` };
  }
  const way = judgeRoute(facts, route);
  if (way.verdict !== "passed") return way;
  if ("unread" in groups) return { verdict: "unknown", sentence: groups.unread };
  if (allowsHttps(groupsNamed(facts, groupIds), { direction: "out", cidr: everywhere })) return way;
  return { ...closedOut(facts, "AWS's addresses"), isWayOutClosed: true };
}

/** Only the worker's own security groups stand in the way. */
export function closedOut({ groupIds }: NetworkFacts, where: string): PathJudgement {
  const [group = "its security group"] = groupIds;
  return {
    verdict: "failed",
    sentence: `No rule of the worker's security groups (${groupIds.join(", ")}) lets port 443 out to ${where}.`,
    fix: `aws ec2 authorize-security-group-egress --group-id ${group} --protocol tcp --port 443 --cidr ${everywhere}`,
  };
}

function judgeRoute(facts: NetworkFacts, { target, isBlackhole }: RouteFact): PathJudgement {
  const { natGateways, givesPublicAddress, subnetId } = facts;
  if (isBlackhole) {
    return { verdict: "failed", sentence: `The route out leads to ${target}, which is gone (blackhole).` };
  }
  if (target.startsWith("igw-")) {
    if (givesPublicAddress) return { verdict: "passed", sentence: `By the internet gateway ${target}.` };
    const sentence = `The route out leads to the internet gateway ${target}, and ${subnetId} gives no public address.`;
    return { verdict: "failed", sentence };
  }
  if (!target.startsWith("nat-")) {
    return {
      verdict: "unknown",
      sentence: `The route out leads to ${target}; what lies behind it can't be read from here.`,
    };
  }
  if ("unread" in natGateways) return { verdict: "unknown", sentence: natGateways.unread };
  const state = natGateways.known[target] ?? "gone";
  if (state === "available") return { verdict: "passed", sentence: `By the NAT gateway ${target}.` };
  return {
    verdict: "failed",
    sentence: `The route out leads to the NAT gateway ${target}, which is ${state}.`,
  };
}
