import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  AssociateRouteTableCommand,
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateNatGatewayCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcEndpointCommand,
  DeleteNatGatewayCommand,
  DeleteRouteCommand,
  DeleteVpcEndpointsCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeSubnetsCommand,
  DescribeVpcEndpointsCommand,
  EC2Client,
  GetConsoleOutputCommand,
  ModifyVpcAttributeCommand,
  ModifyVpcEndpointCommand,
  ReplaceRouteCommand,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  RunInstancesCommand,
  type CreateVpcEndpointCommandInput,
} from "@aws-sdk/client-ec2";
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { DescribeInstanceInformationCommand, GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { afterAll, beforeAll, expect, test } from "vitest";

const accountId = "222222222222";
const region = "eu-central-1";
/** How long the lab keeps a request silent that no path carries. */
const unreachableMs = 150;
const everywhere = "0.0.0.0/0";
let folder: string;
let lab: RunningLab;
let ec2: EC2Client;
let ssm: SSMClient;
let imageId: string;
let network: {
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly internetGatewayId: string;
  /** Of the instance's subnet alone. */
  readonly routeTableId: string;
  readonly groupId: string;
  readonly endpointGroupId: string;
};
let callerPort: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-network-paths-"));
  lab = await startLab({ dataDir: folder, seed: "demo", ec2: { transitionMs: 1, unreachableMs } });
  const config = { endpoint: lab.endpoint, region, credentials: lab.operators[accountId]! };
  ec2 = new EC2Client(config);
  ssm = new SSMClient(config);
  const Name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
  imageId = (await ssm.send(new GetParameterCommand({ Name }))).Parameter!.Value!;
  await createRole(new IAMClient(config));
  network = await readNetwork();
  const program = fileURLToPath(new URL("lab-network-caller.ts", import.meta.url));
  const instanceId = await launch(
    network.subnetIds[0]!,
    `#!/bin/sh\nexec "$GARRISON_LAB_NODE" '${program}'\n`,
  );
  callerPort = await until(async () => {
    const { Output = "" } = await ec2.send(new GetConsoleOutputCommand({ InstanceId: instanceId }));
    return /caller listens on (\d+)/.exec(Buffer.from(Output, "base64").toString())?.[1];
  });
});

afterAll(async () => {
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

async function createRole(iam: IAMClient): Promise<void> {
  const RoleName = "machine";
  const document = (Statement: object) => JSON.stringify({ Version: "2012-10-17", Statement });
  const trust = { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document(trust) }));
  const all = document({ Effect: "Allow", Action: "*", Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "all", PolicyDocument: all }));
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: RoleName }));
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: RoleName, RoleName }));
}

/** The default VPC, whose first subnet gets a table and instances a group of their own. */
async function readNetwork(): Promise<typeof network> {
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}));
  const vpcId = Subnets![0]!.VpcId!;
  const subnetIds = Subnets!.map(({ SubnetId }) => SubnetId!);
  const { InternetGateways } = await ec2.send(new DescribeInternetGatewaysCommand({}));
  const internetGatewayId = InternetGateways![0]!.InternetGatewayId!;
  const routeTableId = await createTable(vpcId, subnetIds[0]!);
  await ec2.send(
    new CreateRouteCommand({
      RouteTableId: routeTableId,
      DestinationCidrBlock: everywhere,
      GatewayId: internetGatewayId,
    }),
  );
  const [groupId = "", endpointGroupId = ""] = await Promise.all(
    ["instance", "endpoint"].map(async (GroupName) => {
      const command = new CreateSecurityGroupCommand({ GroupName, Description: GroupName, VpcId: vpcId });
      return (await ec2.send(command)).GroupId!;
    }),
  );
  await ec2.send(new AuthorizeSecurityGroupIngressCommand(httpsFrom(endpointGroupId, groupId)));
  return { vpcId, subnetIds, internetGatewayId, routeTableId, groupId, endpointGroupId };
}

async function createTable(VpcId: string, SubnetId: string): Promise<string> {
  const { RouteTable } = await ec2.send(new CreateRouteTableCommand({ VpcId }));
  const { RouteTableId } = RouteTable!;
  await ec2.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId }));
  return RouteTableId!;
}

const httpsFrom = (GroupId: string, from: string) => ({
  GroupId,
  IpPermissions: [{ IpProtocol: "tcp", FromPort: 443, ToPort: 443, UserIdGroupPairs: [{ GroupId: from }] }],
});

async function launch(SubnetId: string, userData?: string): Promise<string> {
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      ImageId: imageId,
      MinCount: 1,
      MaxCount: 1,
      SubnetId,
      SecurityGroupIds: [network.groupId],
      IamInstanceProfile: { Name: "machine" },
      ...(userData === undefined ? {} : { UserData: Buffer.from(userData).toString("base64") }),
    }),
  );
  return Instances![0]!.InstanceId!;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((next) => setTimeout(next, 20));
  }
}

/** What the instance's own process gets when it calls. */
async function ask(
  service: string,
  more: { readonly region?: string; readonly timeoutMs?: number; readonly key?: string } = {},
): Promise<string> {
  const query = new URLSearchParams({
    service,
    region: more.region ?? region,
    timeoutMs: String(more.timeoutMs ?? 10_000),
    ...(more.key === undefined ? {} : { key: more.key }),
  });
  return (await fetch(`http://127.0.0.1:${callerPort}/?${query}`)).text();
}

async function askAll(): Promise<Record<string, string>> {
  const names = ["s3", "sqs", "sts"];
  const answers = await Promise.all(names.map((name) => ask(name)));
  return Object.fromEntries(names.map((name, index) => [name, answers[index]!]));
}

const answers = (s3: boolean, sqs: boolean, sts: boolean) => ({
  s3: s3 ? "reached" : "no answer",
  sqs: sqs ? "reached" : "no answer",
  sts: sts ? "reached" : "no answer",
});

async function createEndpoint(
  service: string,
  more: Partial<CreateVpcEndpointCommandInput> = {},
): Promise<string> {
  const { vpcId, subnetIds, endpointGroupId } = network;
  const { VpcEndpoint } = await ec2.send(
    new CreateVpcEndpointCommand({
      VpcId: vpcId,
      ServiceName: `com.amazonaws.${region}.${service}`,
      VpcEndpointType: "Interface",
      SubnetIds: [subnetIds[0]!],
      SecurityGroupIds: [endpointGroupId],
      ...more,
    }),
  );
  const id = VpcEndpoint!.VpcEndpointId!;
  await until(async () => {
    const { VpcEndpoints } = await ec2.send(new DescribeVpcEndpointsCommand({ VpcEndpointIds: [id] }));
    return (VpcEndpoints![0]!.State as string) === "available" || undefined;
  });
  return id;
}

const deleteEndpoint = (id: string) => ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: [id] }));
const defaultRoute = () => ({ RouteTableId: network.routeTableId, DestinationCidrBlock: everywhere });
const closeRoute = () => ec2.send(new DeleteRouteCommand(defaultRoute()));
const openRoute = () =>
  ec2.send(new CreateRouteCommand({ ...defaultRoute(), GatewayId: network.internetGatewayId }));

const allOut = () => ({
  GroupId: network.groupId,
  IpPermissions: [{ IpProtocol: "-1", IpRanges: [{ CidrIp: everywhere }] }],
});
const dnsSupport = (Value: boolean) =>
  ec2.send(new ModifyVpcAttributeCommand({ VpcId: network.vpcId, EnableDnsSupport: { Value } }));

test.each([
  ["without a route to the internet", closeRoute, openRoute],
  [
    "whose security group lets nothing out",
    () => ec2.send(new RevokeSecurityGroupEgressCommand(allOut())),
    () => ec2.send(new AuthorizeSecurityGroupEgressCommand(allOut())),
  ],
  ["whose VPC resolves no names", () => dnsSupport(false), () => dnsSupport(true)],
])(
  "an instance %s reaches nothing, and everything again once that is repaired",
  async (_name, harm, repair) => {
    await harm();
    expect(await askAll()).toEqual(answers(false, false, false));
    await repair();
    expect(await askAll()).toEqual(answers(true, true, true));
  },
);

test("what is unreachable is silent: no answer comes before the client gives up", async () => {
  await closeRoute();
  expect(await ask("sqs", { timeoutMs: unreachableMs / 2 })).toBe("no answer");
  const unreachable = lab.lab.calls.entries().findLast(({ errorCode }) => errorCode === "Unreachable");
  expect(unreachable).toMatchObject({
    service: "sqs",
    errorDetail: `no route of ${network.subnetIds[0]} leads to sqs`,
  });
  await openRoute();
});

test("other people's keys take the instance's path too when its process signs with them", async () => {
  const { accessKeyId, secretAccessKey } = lab.operators["111111111111"]!;
  const key = `${accessKeyId}:${secretAccessKey}`;
  expect(await ask("sqs", { key })).toBe("reached");
  await closeRoute();
  expect(await ask("sqs", { key })).toBe("no answer");
  await openRoute();
});

test("a NAT gateway leads out, and a black hole where it was deleted doesn't", async () => {
  const { NatGateway } = await ec2.send(
    new CreateNatGatewayCommand({ SubnetId: network.subnetIds[1]!, AllocationId: "eipalloc-1" }),
  );
  const { NatGatewayId } = NatGateway!;
  const inState = (state: string) => async () => {
    const answer = await ec2.send(new DescribeNatGatewaysCommand({ NatGatewayIds: [NatGatewayId!] }));
    return answer.NatGateways![0]!.State === state || undefined;
  };
  await until(inState("available"));
  await ec2.send(new ReplaceRouteCommand({ ...defaultRoute(), NatGatewayId }));
  expect(await ask("sqs")).toBe("reached");
  await ec2.send(new DeleteNatGatewayCommand({ NatGatewayId }));
  await until(inState("deleted"));
  expect(await ask("sqs")).toBe("no answer");
  await ec2.send(new ReplaceRouteCommand({ ...defaultRoute(), GatewayId: network.internetGatewayId }));
});

test("an interface endpoint leads to its own service, through its group and by its private name", async () => {
  await closeRoute();
  const VpcEndpointId = await createEndpoint("sqs");
  expect(await askAll()).toEqual(answers(false, true, false));
  const { endpointGroupId, groupId } = network;
  await ec2.send(new RevokeSecurityGroupIngressCommand(httpsFrom(endpointGroupId, groupId)));
  expect(await ask("sqs")).toBe("no answer");
  await openRoute();
  // The name still leads to the endpoint: an open way to the public address is of no use.
  expect(await ask("sqs")).toBe("no answer");
  await ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId, PrivateDnsEnabled: false }));
  expect(await ask("sqs")).toBe("reached");
  await ec2.send(new AuthorizeSecurityGroupIngressCommand(httpsFrom(endpointGroupId, groupId)));
  await closeRoute();
  // Without its private name the endpoint is passed by.
  expect(await ask("sqs")).toBe("no answer");
  await ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId, PrivateDnsEnabled: true }));
  expect(await ask("sqs")).toBe("reached");
  await deleteEndpoint(VpcEndpointId);
  await openRoute();
});

test("a gateway endpoint leads to S3 of its own Region only", async () => {
  await closeRoute();
  const id = await createEndpoint("s3", {
    VpcEndpointType: "Gateway",
    RouteTableIds: [network.routeTableId],
    SubnetIds: [],
    SecurityGroupIds: [],
  });
  expect(await askAll()).toEqual(answers(true, false, false));
  expect(await ask("s3", { region: "eu-west-1" })).toBe("no answer");
  await deleteEndpoint(id);
  await openRoute();
});

const everybody = { Principal: "*", Resource: "*" };

test.each([
  [
    "denies",
    [
      { ...everybody, Effect: "Allow", Action: "*" },
      { ...everybody, Effect: "Deny", Action: "sqs:ListQueues" },
    ],
    "with an explicit deny in a VPC endpoint policy",
  ],
  [
    "leaves out",
    [{ ...everybody, Effect: "Allow", Action: "sqs:SendMessage" }],
    "because no VPC endpoint policy allows the sqs:ListQueues action",
  ],
])("a call that the endpoint's policy %s is refused in AWS's words", async (_name, Statement, words) => {
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  const VpcEndpointId = await createEndpoint("sqs", { PolicyDocument });
  const denial = await ask("sqs");
  expect(denial).toMatch(/^User: arn:aws:sts::222222222222:assumed-role\/machine\/i-\w+ is not authorized/);
  expect(denial.endsWith(words)).toBe(true);
  await ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId, ResetPolicy: true }));
  expect(await ask("sqs")).toBe("reached");
  await deleteEndpoint(VpcEndpointId);
});

test("a call through an endpoint tells which one, its VPC and the instance's own address", async () => {
  const subnet = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [network.subnetIds[0]!] }));
  const through = (endpointId: string) =>
    JSON.stringify({
      Statement: {
        ...everybody,
        Effect: "Allow",
        Action: "sqs:*",
        Condition: {
          StringEquals: { "aws:SourceVpce": endpointId, "aws:SourceVpc": network.vpcId },
          IpAddress: { "aws:VpcSourceIp": subnet.Subnets![0]!.CidrBlock! },
          Null: { "aws:SourceIp": "true" },
        },
      },
    });
  const VpcEndpointId = await createEndpoint("sqs", { PolicyDocument: through("vpce-0123456789abcdef0") });
  expect(await ask("sqs")).toContain("because no VPC endpoint policy allows");
  const PolicyDocument = through(VpcEndpointId);
  await ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId, PolicyDocument }));
  expect(await ask("sqs")).toBe("reached");
  await deleteEndpoint(VpcEndpointId);
});

test("an instance without a path to Systems Manager registers once it has endpoints", async () => {
  const { Subnet } = await ec2.send(
    new CreateSubnetCommand({ VpcId: network.vpcId, CidrBlock: "172.31.64.0/24" }),
  );
  await createTable(network.vpcId, Subnet!.SubnetId!);
  const instanceId = await launch(Subnet!.SubnetId!);
  const isRegistered = async () => {
    const { InstanceInformationList = [] } = await ssm.send(new DescribeInstanceInformationCommand({}));
    return InstanceInformationList.some(({ InstanceId }) => InstanceId === instanceId);
  };
  const wanted = `no route of ${Subnet!.SubnetId} leads to ssm`;
  await until(async () => lab.lab.calls.entries().find(({ errorDetail }) => errorDetail === wanted));
  expect(await isRegistered()).toBe(false);
  await Promise.all([createEndpoint("ssm"), createEndpoint("ssmmessages")]);
  await until(async () => (await isRegistered()) || undefined);
});
