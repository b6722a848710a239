import { describe, expect, test } from "vitest";
import { judgeNetwork } from "./judge-network.ts";
import type { EndpointFact, GroupRule, NetworkFacts } from "./network-facts.ts";

const out: GroupRule = {
  direction: "out",
  protocol: "-1",
  cidrs: ["0.0.0.0/0"],
  groupIds: [],
  prefixListIds: [],
};
const fromWorker: GroupRule = {
  direction: "in",
  protocol: "tcp",
  fromPort: 443,
  toPort: 443,
  cidrs: [],
  groupIds: ["sg-worker"],
  prefixListIds: [],
};

/** A default VPC: public subnet, internet gateway, everything may leave. */
const good: NetworkFacts = {
  region: "eu-central-1",
  subnetId: "subnet-1",
  subnetCidr: "10.0.1.0/24",
  vpcId: "vpc-1",
  zone: "eu-central-1a",
  freeAddresses: 250,
  givesPublicAddress: true,
  groupIds: ["sg-worker"],
  instanceType: "t3.medium",
  dns: { known: { support: true, hostnames: true } },
  routeTable: {
    known: {
      routeTableId: "rtb-1",
      routes: [{ destination: "0.0.0.0/0", target: "igw-1", isBlackhole: false }],
    },
  },
  natGateways: { known: {} },
  endpoints: { known: [] },
  groups: { known: [{ groupId: "sg-worker", rules: [out] }] },
  isTypeOffered: { known: true },
  vcpus: { known: { limit: 32, running: 30, needed: 2 } },
  defaultKey: { known: undefined },
};

const routes = (target: string, isBlackhole = false): Pick<NetworkFacts, "routeTable"> => ({
  routeTable: {
    known: { routeTableId: "rtb-1", routes: [{ destination: "0.0.0.0/0", target, isBlackhole }] },
  },
});

const endpoint = (service: string, change: Partial<EndpointFact> = {}): EndpointFact => ({
  endpointId: `vpce-${service}`,
  service,
  type: "Interface",
  state: "available",
  hasPrivateDns: true,
  subnetIds: ["subnet-1"],
  routeTableIds: [],
  groupIds: ["sg-endpoint"],
  ...change,
});

const gateway = (change: Partial<EndpointFact> = {}) =>
  endpoint("s3", {
    type: "Gateway",
    hasPrivateDns: false,
    routeTableIds: ["rtb-1"],
    groupIds: [],
    ...change,
  });

/** No way out: five endpoints serve instead. */
const secluded: NetworkFacts = {
  ...good,
  givesPublicAddress: false,
  routeTable: {
    known: {
      routeTableId: "rtb-1",
      routes: [{ destination: "pl-s3", target: "vpce-s3", isBlackhole: false }],
    },
  },
  endpoints: {
    known: [endpoint("ssm"), endpoint("ssmmessages"), endpoint("sqs"), gateway(), endpoint("ebs")],
  },
  groups: {
    known: [
      { groupId: "sg-worker", rules: [out] },
      { groupId: "sg-endpoint", rules: [fromWorker] },
    ],
  },
};

const withEndpoint = (changed: EndpointFact): NetworkFacts => ({
  ...secluded,
  endpoints: {
    known: [
      ...("known" in secluded.endpoints ? secluded.endpoints.known : []).filter(
        ({ service }) => service !== changed.service,
      ),
      changed,
    ],
  },
});

const withoutEndpoint = (service: string): NetworkFacts => ({
  ...secluded,
  endpoints: {
    known: ("known" in secluded.endpoints ? secluded.endpoints.known : []).filter(
      (one) => one.service !== service,
    ),
  },
});

const verdictsOf = (facts: NetworkFacts) => new Set(judgeNetwork(facts).map(({ verdict }) => verdict));
const named = (facts: NetworkFacts, check: string) => judgeNetwork(facts).find((one) => one.check === check)!;

describe("a whole network passes", () => {
  test.each([
    ["a public subnet of a default VPC", good],
    [
      "a private subnet behind NAT",
      {
        ...good,
        givesPublicAddress: false,
        ...routes("nat-1"),
        natGateways: { known: { "nat-1": "available" } },
      },
    ],
    ["a subnet without a way out that has every endpoint", secluded],
    [
      "volumes encrypted by default with AWS's own key",
      { ...good, defaultKey: { known: "arn:aws:kms:eu-central-1:1:alias/aws/ebs" } },
    ],
    [
      "endpoints whose group lets the subnet's addresses in",
      {
        ...secluded,
        groups: {
          known: [
            { groupId: "sg-worker", rules: [out] },
            { groupId: "sg-endpoint", rules: [{ ...fromWorker, groupIds: [], cidrs: ["10.0.0.0/16"] }] },
          ],
        },
      },
    ],
  ] as const satisfies readonly (readonly [string, NetworkFacts])[])("%s", (_title, facts) => {
    expect([...verdictsOf(facts)]).toEqual(["passed"]);
  });
});

describe("a broken network fails at the service that misses something, and names the smallest thing to do:", () => {
  test.each([
    ["no free address", { ...good, freeAddresses: 0 }, "free addresses", "another subnet"],
    [
      "a type that the zone lacks",
      { ...good, isTypeOffered: { known: false } },
      "instance type",
      "another instance type",
    ],
    [
      "DNS off",
      { ...good, dns: { known: { support: false, hostnames: false } } },
      "DNS",
      "--enable-dns-support",
    ],
    [
      "an internet gateway without public addresses",
      { ...good, givesPublicAddress: false },
      "service sqs",
      "create-vpc-endpoint --vpc-id vpc-1 --vpc-endpoint-type Interface --service-name com.amazonaws.eu-central-1.sqs",
    ],
    [
      "a route into nothing",
      { ...good, ...routes("nat-1", true) },
      "service ssm",
      "com.amazonaws.eu-central-1.ssm --subnet-ids subnet-1",
    ],
    [
      "a NAT gateway that failed",
      { ...good, ...routes("nat-1"), natGateways: { known: { "nat-1": "failed" } } },
      "service ebs",
      "com.amazonaws.eu-central-1.ebs",
    ],
    [
      "no egress",
      { ...good, groups: { known: [{ groupId: "sg-worker", rules: [] }] } },
      "service sqs",
      "authorize-security-group-egress --group-id sg-worker",
    ],
    [
      "egress of another port only",
      {
        ...good,
        groups: {
          known: [{ groupId: "sg-worker", rules: [{ ...out, protocol: "tcp", fromPort: 80, toPort: 80 }] }],
        },
      },
      "service s3",
      "authorize-security-group-egress",
    ],
    [
      "no endpoint of SQS",
      withoutEndpoint("sqs"),
      "service sqs",
      "--service-name com.amazonaws.eu-central-1.sqs",
    ],
    [
      "no endpoint of S3",
      withoutEndpoint("s3"),
      "service s3",
      "--vpc-endpoint-type Gateway --service-name com.amazonaws.eu-central-1.s3 --route-table-ids rtb-1",
    ],
    [
      "an S3 gateway of another route table",
      withEndpoint(gateway({ routeTableIds: ["rtb-2"] })),
      "service s3",
      "--vpc-endpoint-id vpce-s3 --add-route-table-ids rtb-1",
    ],
    [
      "an endpoint that is not available",
      withEndpoint(endpoint("ebs", { state: "pending" })),
      "service ebs",
      "vpce-ebs",
    ],
    [
      "an endpoint without private DNS",
      withEndpoint(endpoint("ssmmessages", { hasPrivateDns: false })),
      "service ssmmessages",
      "--vpc-endpoint-id vpce-ssmmessages --private-dns-enabled",
    ],
    [
      "private names that the VPC does not answer",
      { ...secluded, dns: { known: { support: true, hostnames: false } } },
      "service ssm",
      "--enable-dns-hostnames",
    ],
    [
      "an endpoint whose group lets nobody in",
      {
        ...secluded,
        groups: {
          known: [
            { groupId: "sg-worker", rules: [out] },
            { groupId: "sg-endpoint", rules: [] },
          ],
        },
      },
      "service sqs",
      "authorize-security-group-ingress --group-id sg-endpoint --protocol tcp --port 443 --source-group sg-worker",
    ],
  ] as const satisfies readonly (readonly [string, NetworkFacts, string, string])[])(
    "%s",
    (...[, facts, check, fix]) => {
      const finding = named(facts, check);
      expect(finding).toMatchObject({ verdict: "failed" });
      expect(finding.fix).toContain(fix);
    },
  );

  test("an endpoint with private DNS catches the traffic, though the internet could be reached", () => {
    const facts = {
      ...good,
      endpoints: { known: [endpoint("sqs")] },
      groups: {
        known: [
          { groupId: "sg-worker", rules: [out] },
          { groupId: "sg-endpoint", rules: [] },
        ],
      },
    };
    const failed = judgeNetwork(facts).filter(({ verdict }) => verdict === "failed");
    expect(failed.map(({ check }) => check)).toEqual(["service sqs"]);
  });
});

describe("what can't be known is not guessed:", () => {
  const unread = { unread: "not allowed" };
  test.each([
    ["unread endpoints", { ...good, endpoints: unread }, "service sqs"],
    ["unread security groups", { ...good, groups: unread }, "service sqs"],
    ["unread routes", { ...good, routeTable: unread }, "service ssm"],
    ["an unread NAT gateway", { ...good, ...routes("nat-1"), natGateways: unread }, "service ebs"],
    ["a route to a transit gateway", { ...good, ...routes("tgw-1") }, "service s3"],
    ["an unread default key", { ...good, defaultKey: unread }, "encryption by default"],
    [
      "a default key of the owner",
      { ...good, defaultKey: { known: "arn:aws:kms:eu-central-1:1:key/k" } },
      "encryption by default",
    ],
  ] as const satisfies readonly (readonly [string, NetworkFacts, string])[])("%s", (_title, facts, check) => {
    expect(named(facts, check).verdict).toBe("unknown");
    expect(verdictsOf(facts)).not.toContain("failed");
  });
});
