import type { Verdict } from "../chain-report.ts";
import { allowsHttps, groupsNamed } from "./allows-https.ts";
import { closedOut, judgeInternetPath, type PathJudgement } from "./judge-internet-path.ts";
import type { EndpointFact, NetworkFacts } from "./network-facts.ts";
import type { NetworkFinding } from "./network-finding.ts";

/**
 * What a worker calls: its agent `ssm` and `ssmmessages`, its program `sqs`, `s3` and `ebs`. Older agents' `ec2messages` is
 * their substitute for `ssmmessages` and is not asked for.
 */
export const workerServices = ["ssm", "ssmmessages", "sqs", "s3", "ebs"] as const;
export type WorkerService = (typeof workerServices)[number];

/** Which way packets to the service take, and what stops them. */
export function judgeService(facts: NetworkFacts, service: WorkerService): NetworkFinding {
  const { verdict, sentence, fix } = judgePath(facts, service);
  return { check: `service ${service}`, verdict, sentence, ...(fix === undefined ? {} : { fix }) };
}

function judgePath(facts: NetworkFacts, service: WorkerService): PathJudgement {
  const { endpoints, dns, groups } = facts;
  if ("unread" in endpoints) return known("unknown", endpoints.unread);
  if ("unread" in groups) return known("unknown", groups.unread);
  const own = endpoints.known.filter((endpoint) => endpoint.service === service);
  const named = own.find(({ type, hasPrivateDns }) => type === "Interface" && hasPrivateDns);
  // Its private name catches the service's usual name for the whole VPC, also where an internet path exists.
  if (named !== undefined) {
    if ("unread" in dns) return known("unknown", dns.unread);
    if (dns.known.support && dns.known.hostnames) return judgeInterface(facts, named);
  }
  const gateway = own.find(({ type }) => type === "Gateway");
  if (gateway !== undefined) {
    const judged = judgeGateway(facts, gateway);
    if (judged !== undefined) return judged;
  }
  const path = judgeInternetPath(facts);
  if (path.verdict !== "failed") return path;
  return missing(facts, { service, own, path });
}

function judgeInterface(facts: NetworkFacts, endpoint: EndpointFact): PathJudgement {
  const { groupIds, subnetCidr } = facts;
  const { endpointId, service, state, groupIds: endpointGroups } = endpoint;
  if (state !== "available") return notAvailable(endpoint);
  const [workerGroup = "the worker's security group"] = groupIds;
  const isLetIn = allowsHttps(groupsNamed(facts, endpointGroups), {
    direction: "in",
    cidr: subnetCidr,
    groupIds,
  });
  if (!isLetIn) {
    const [group = "its security group"] = endpointGroups;
    return known(
      "failed",
      `Its endpoint ${endpointId} takes the traffic, and no rule of ${endpointGroups.join(", ")} lets port 443 in from the worker.`,
      `aws ec2 authorize-security-group-ingress --group-id ${group} --protocol tcp --port 443 --source-group ${workerGroup}`,
    );
  }
  const isLetOut = allowsHttps(groupsNamed(facts, groupIds), {
    direction: "out",
    cidr: subnetCidr,
    groupIds: endpointGroups,
  });
  if (!isLetOut) return closedOut(facts, `the endpoint ${endpointId} of ${service}`);
  return known("passed", `By the interface endpoint ${endpointId}.`);
}

/** Undefined when the subnet's routes don't lead to it. */
function judgeGateway(facts: NetworkFacts, endpoint: EndpointFact): PathJudgement | undefined {
  const { routeTable, groupIds } = facts;
  if ("unread" in routeTable) return known("unknown", routeTable.unread);
  const { routeTableId, routes } = routeTable.known;
  const { endpointId, routeTableIds, state } = endpoint;
  if (!routeTableIds.includes(routeTableId)) return undefined;
  if (state !== "available") return notAvailable(endpoint);
  const prefixListIds = routes.flatMap(({ target, destination }) =>
    target === endpointId ? [destination] : [],
  );
  const isLetOut = allowsHttps(groupsNamed(facts, groupIds), {
    direction: "out",
    cidr: "0.0.0.0/0",
    prefixListIds,
  });
  if (isLetOut) return known("passed", `By the gateway endpoint ${endpointId}.`);
  return closedOut(facts, `the gateway endpoint ${endpointId}`);
}

function notAvailable({ endpointId, state }: EndpointFact): PathJudgement {
  const fix =
    state === "pending" ? `Wait until ${endpointId} is available.` : `Repair or recreate ${endpointId}.`;
  return known("failed", `Its endpoint ${endpointId} is ${state}.`, fix);
}

interface Missing {
  readonly service: WorkerService;
  readonly own: readonly EndpointFact[];
  readonly path: PathJudgement;
}

/** No way out, and no endpoint that serves: an endpoint that nearly does is mended before another is made. */
function missing(facts: NetworkFacts, { service, own, path }: Missing): PathJudgement {
  const { vpcId, region, subnetId, dns, routeTable } = facts;
  const table = "known" in routeTable ? routeTable.known.routeTableId : "the subnet's route table";
  const nearly = own.find(({ type }) => type === "Interface");
  if (nearly !== undefined && !nearly.hasPrivateDns) {
    return known(
      "failed",
      `Its endpoint ${nearly.endpointId} has no private DNS name, so the worker does not find it. ${path.sentence}`,
      `aws ec2 modify-vpc-endpoint --vpc-endpoint-id ${nearly.endpointId} --private-dns-enabled`,
    );
  }
  if (nearly !== undefined && "known" in dns && !dns.known.hostnames) {
    return known(
      "failed",
      `enableDnsHostnames of ${vpcId} is off, so the private DNS name of ${nearly.endpointId} is not answered. ${path.sentence}`,
      `aws ec2 modify-vpc-attribute --vpc-id ${vpcId} --enable-dns-hostnames Value=true`,
    );
  }
  const gateway = own.find(({ type }) => type === "Gateway");
  if (gateway !== undefined) {
    return known(
      "failed",
      `Its gateway endpoint ${gateway.endpointId} is not associated with ${table} of the subnet. ${path.sentence}`,
      `aws ec2 modify-vpc-endpoint --vpc-endpoint-id ${gateway.endpointId} --add-route-table-ids ${table}`,
    );
  }
  if (path.isWayOutClosed !== true) {
    const made =
      service === "s3"
        ? `--vpc-endpoint-type Gateway --service-name com.amazonaws.${region}.s3 --route-table-ids ${table}`
        : `--vpc-endpoint-type Interface --service-name com.amazonaws.${region}.${service} --subnet-ids ${subnetId} --private-dns-enabled`;
    const sentence = `There is no endpoint for it in ${vpcId}. ${path.sentence}`;
    return known("failed", sentence, `aws ec2 create-vpc-endpoint --vpc-id ${vpcId} ${made}`);
  }
  return path;
}

function known(verdict: Verdict, sentence: string, fix?: string): PathJudgement {
  return { verdict, sentence, ...(fix === undefined ? {} : { fix }) };
}
