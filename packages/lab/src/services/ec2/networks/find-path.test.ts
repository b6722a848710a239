import { expect, test } from "vitest";
import { prefixListOf } from "./endpoint-services.ts";
import { findPath, type Traveller } from "./find-path.ts";
import type {
  InternetGatewayRecord,
  NatGatewayRecord,
  NetworkInterfaceRecord,
  Route,
  RouteTableRecord,
  SecurityGroupRecord,
  SecurityGroupRule,
  VpcEndpointRecord,
  VpcRecord,
} from "./network-records.ts";

const region = "eu-central-1";
const place = { accountId: "222222222222", region, tags: {} };
const vpcId = "vpc-1";
const s3List = prefixListOf("s3", region).prefixListId;
const everywhere = "0.0.0.0/0";
const toGateway: Route = { destination: everywhere, target: "igw-1", origin: "CreateRoute" };
const toNat: Route = { destination: everywhere, target: "nat-1", origin: "CreateRoute" };
const allOut: SecurityGroupRule = { ruleId: "sgr-1", egress: true, protocol: "-1", cidrIpv4: everywhere };

const endpoint: VpcEndpointRecord = {
  ...place,
  vpcEndpointId: "vpce-1",
  vpcId,
  serviceName: `com.amazonaws.${region}.sqs`,
  type: "Interface",
  state: "available",
  privateDns: true,
  subnetIds: ["subnet-1"],
  securityGroupIds: ["sg-endpoint"],
  networkInterfaceIds: ["eni-1"],
  routeTableIds: [],
  policyDocument: "{}",
  createdAtMs: 0,
};

/** A worker's subnet `subnet-1` with its own table, and `subnet-2` for a NAT gateway with the VPC's main one. */
interface Network {
  readonly publicIp?: string;
  readonly routes?: readonly Route[];
  readonly mainRoutes?: readonly Route[];
  readonly out?: readonly SecurityGroupRule[];
  readonly endpoints?: readonly VpcEndpointRecord[];
  readonly dnsHostnames?: boolean;
  readonly nat?: Partial<NatGatewayRecord>;
}

function pathTo(service: string, given: Network): string {
  const { routes = [], mainRoutes = [], out = [allOut], endpoints = [], dnsHostnames = true } = given;
  const vpc: VpcRecord = {
    ...place,
    vpcId,
    cidr: "10.0.0.0/16",
    isDefault: false,
    enableDnsHostnames: dnsHostnames,
  };
  const table = (routeTableId: string, own: readonly Route[], subnetId?: string): RouteTableRecord => ({
    ...place,
    routeTableId,
    vpcId,
    routes: own,
    associations: [
      { associationId: `assoc-${routeTableId}`, ...(subnetId === undefined ? {} : { subnetId }) },
    ],
  });
  const group = (groupId: string, rules: readonly SecurityGroupRule[]): SecurityGroupRecord => ({
    ...place,
    groupId,
    groupName: groupId,
    description: "",
    vpcId,
    rules,
  });
  const inward: SecurityGroupRule = {
    ruleId: "sgr-2",
    egress: false,
    protocol: "tcp",
    fromPort: 443,
    toPort: 443,
    cidrIpv4: "10.0.1.0/24",
  };
  const nic = { ...place, networkInterfaceId: "eni-1", privateIp: "10.0.1.7" } as NetworkInterfaceRecord;
  const gateway: InternetGatewayRecord = { ...place, internetGatewayId: "igw-1", vpcId };
  const nat: NatGatewayRecord = {
    ...place,
    natGatewayId: "nat-1",
    vpcId,
    subnetId: "subnet-2",
    isPublic: true,
    state: "available",
    privateIp: "10.0.2.5",
    publicIp: "203.0.113.8",
    createdAtMs: 0,
    ...given.nat,
  };
  const tables = {
    vpcs: new Map([[vpcId, vpc]]),
    routeTables: new Map([
      ["rtb-1", table("rtb-1", routes, "subnet-1")],
      ["rtb-main", table("rtb-main", mainRoutes)],
    ]),
    securityGroups: new Map([
      ["sg-1", group("sg-1", out)],
      ["sg-endpoint", group("sg-endpoint", [inward])],
    ]),
    networkInterfaces: new Map([["eni-1", nic]]),
    internetGateways: new Map([["igw-1", gateway]]),
    natGateways: new Map([["nat-1", nat]]),
    vpcEndpoints: new Map(endpoints.map((one) => [one.vpcEndpointId, one])),
  };
  const instance: Traveller = {
    vpcId,
    subnetId: "subnet-1",
    privateIp: "10.0.1.20",
    securityGroupIds: ["sg-1"],
    ...(given.publicIp === undefined ? {} : { publicIp: given.publicIp }),
  };
  const path = findPath(tables, instance, { service, region });
  return path.kind === "closed" ? path.why : `${path.kind} from ${path.sourceIp}`;
}

const publicIp = "203.0.113.7";
const port = (fromPort: number, toPort: number): SecurityGroupRule => ({
  ...allOut,
  protocol: "tcp",
  fromPort,
  toPort,
});
const toS3: Route = { destination: s3List, target: "vpce-1", origin: "CreateRoute" };
const gatewayEndpoint: VpcEndpointRecord = {
  ...endpoint,
  type: "Gateway",
  serviceName: `com.amazonaws.${region}.s3`,
  privateDns: false,
  networkInterfaceIds: [],
};

const ways: readonly (readonly [string, string, Network, string])[] = [
  [
    "a public address and an internet gateway lead out",
    "sqs",
    { publicIp, routes: [toGateway] },
    "internet from 203.0.113.7",
  ],
  [
    "without a public address an internet gateway is of no use",
    "sqs",
    { routes: [toGateway] },
    "the instance has no public address, which igw-1 needs",
  ],
  [
    "a NAT gateway lends its address",
    "sqs",
    { routes: [toNat], mainRoutes: [toGateway] },
    "internet from 203.0.113.8",
  ],
  [
    "a NAT gateway in a subnet without a way out leads nowhere",
    "sqs",
    { routes: [toNat] },
    "nat-1 has no way to the internet",
  ],
  [
    "a deleted NAT gateway is a black hole",
    "sqs",
    { routes: [toNat], mainRoutes: [toGateway], nat: { state: "deleted" } },
    "the route of subnet-1 to nat-1 is a black hole",
  ],
  [
    "a detached internet gateway is a black hole",
    "sqs",
    { publicIp, routes: [{ ...toGateway, target: "igw-2" }] },
    "the route of subnet-1 to igw-2 is a black hole",
  ],
  [
    "the more specific route wins",
    "sqs",
    { publicIp, routes: [toGateway, { ...toNat, destination: "198.51.100.0/24" }] },
    "nat-1 has no way to the internet",
  ],
  [
    "a group that lets out only port 80 shuts HTTPS",
    "sqs",
    { publicIp, routes: [toGateway], out: [port(80, 80)] },
    "the instance's security groups let nothing out to sqs on port 443",
  ],
  [
    "a group with a range around 443 lets it out",
    "sqs",
    { publicIp, routes: [toGateway], out: [port(1, 1024)] },
    "internet from 203.0.113.7",
  ],
  [
    "a group that names S3's prefix list lets S3 out",
    "s3",
    {
      routes: [toS3],
      endpoints: [gatewayEndpoint],
      out: [
        { ruleId: "sgr-3", egress: true, protocol: "tcp", fromPort: 443, toPort: 443, prefixListId: s3List },
      ],
    },
    "endpoint from 10.0.1.20",
  ],
  [
    "a gateway endpoint without a route in the subnet's table isn't taken",
    "s3",
    { endpoints: [gatewayEndpoint] },
    "no route of subnet-1 leads to s3",
  ],
  [
    "an interface endpoint answers for its service's name",
    "sqs",
    { endpoints: [endpoint] },
    "endpoint from 10.0.1.20",
  ],
  [
    "an endpoint that isn't available yet doesn't",
    "sqs",
    { endpoints: [{ ...endpoint, state: "pending" }] },
    "no route of subnet-1 leads to sqs",
  ],
  [
    "without DNS host names its private name is gone",
    "sqs",
    { endpoints: [endpoint], dnsHostnames: false },
    "no route of subnet-1 leads to sqs",
  ],
  [
    "IAM has no endpoint and needs the internet",
    "iam",
    { endpoints: [endpoint] },
    "no route of subnet-1 leads to iam",
  ],
];

test.each(ways.map(([title, service, network, way]) => ({ title, service, network, way })))(
  "$title",
  ({ service, network, way }) => {
    expect(pathTo(service, network)).toBe(way);
  },
);
