import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateVpcEndpointCommand,
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
  DeleteRouteCommand,
  ModifyVpcAttributeCommand,
  RevokeSecurityGroupEgressCommand,
  DescribeSecurityGroupsCommand,
  type EC2Client,
} from "@aws-sdk/client-ec2";
import { openAwsClients, type AwsClients } from "@garrison/aws/aws-clients";
import { readNetwork } from "@garrison/aws/network/read-network";
import { systemClock } from "@garrison/core/clock";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { judgeNetwork } from "@garrison/roles/network/judge-network";
import { afterAll, beforeAll, expect, test } from "vitest";

const region = "eu-central-1";
const { signal } = new AbortController();
const patience = AbortSignal.timeout(60_000);
let folder: string;
let lab: RunningLab;
let clients: AwsClients;
let ec2: EC2Client;
let subnetId: string;
let vpcId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "garrison-network-"));
  lab = await startLab({ dataDir: folder, seed: "demo", ec2: { vcpuLimit: 4 } });
  const keys = lab.operators["222222222222"]!;
  clients = openAwsClients({ region, endpoint: lab.endpoint, credentials: async () => ({ ...keys }) });
  ec2 = clients.ec2();
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}));
  subnetId = Subnets![0]!.SubnetId!;
  vpcId = Subnets![0]!.VpcId!;
}, 120_000);
afterAll(async () => {
  clients?.close();
  await lab?.stop();
  await rm(folder, { recursive: true, force: true });
});

const judge = async () => {
  const facts = await readNetwork(clients, { region, subnetId, instanceType: "t3.medium" }, { signal });
  return Object.fromEntries(judgeNetwork(facts).map((finding) => [finding.check, finding]));
};
const services = ["ssm", "ssmmessages", "sqs", "s3", "ebs"].map((name) => `service ${name}`);
const verdictsOf = (found: Awaited<ReturnType<typeof judge>>) => services.map((name) => found[name]?.verdict);

test("a default network is read and passes", async () => {
  const findings = Object.values(await judge());
  expect(findings.filter(({ verdict }) => verdict !== "passed")).toEqual([]);
});

test("a vCPU quota that leaves no room is named, with how to ask for more", async () => {
  const facts = await readNetwork(clients, { region, subnetId, instanceType: "m5.2xlarge" }, { signal });
  const found = judgeNetwork(facts).find(({ check }) => check === "vCPU quota");
  expect(found).toMatchObject({ verdict: "failed", fix: expect.stringContaining("--quota-code L-1216C47A") });
});

test("without a route out each service is missed, and an endpoint that is made mends its own", async () => {
  const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
  const { RouteTables } = await ec2.send(new DescribeRouteTablesCommand({ Filters }));
  const RouteTableId = RouteTables![0]!.RouteTableId!;
  await ec2.send(new DeleteRouteCommand({ RouteTableId, DestinationCidrBlock: "0.0.0.0/0" }));
  const broken = await judge();
  expect(verdictsOf(broken)).toEqual(["failed", "failed", "failed", "failed", "failed"]);
  expect(broken["service s3"]?.fix).toContain(`--route-table-ids ${RouteTableId}`);
  const ServiceName = `com.amazonaws.${region}.s3`;
  await ec2.send(
    new CreateVpcEndpointCommand({
      VpcId: vpcId,
      VpcEndpointType: "Gateway",
      ServiceName,
      RouteTableIds: [RouteTableId],
    }),
  );
  expect((await judge())["service s3"]?.fix).toMatch(/^Wait until vpce-/);
  while ((await judge())["service s3"]?.verdict !== "passed") await systemClock.sleep(100, patience);
  expect(verdictsOf(await judge())).toEqual(["failed", "failed", "failed", "passed", "failed"]);
});

test("DNS that the VPC does not answer, and a group that lets nothing out, are named", async () => {
  await ec2.send(new ModifyVpcAttributeCommand({ VpcId: vpcId, EnableDnsSupport: { Value: false } }));
  const Filters = [
    { Name: "vpc-id", Values: [vpcId] },
    { Name: "group-name", Values: ["default"] },
  ];
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters }));
  const { GroupId, IpPermissionsEgress } = SecurityGroups![0]!;
  await ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: IpPermissionsEgress }));
  const found = await judge();
  expect(found["DNS"]?.verdict).toBe("failed");
  expect(found["service s3"]?.fix).toContain(`authorize-security-group-egress --group-id ${GroupId}`);
});
