import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AssociateRouteTableCommand,
  AuthorizeSecurityGroupEgressCommand,
  CreateNatGatewayCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  CreateSubnetCommand,
  CreateVpcEndpointCommand,
  DeleteNatGatewayCommand,
  DeleteRouteTableCommand,
  DeleteVpcEndpointsCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeNetworkAclsCommand,
  DescribeNetworkInterfacesCommand,
  DescribePrefixListsCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeVpcAttributeCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
  DisassociateRouteTableCommand,
  EC2Client,
  ModifyVpcAttributeCommand,
  ModifyVpcEndpointCommand,
  ReplaceRouteTableAssociationCommand,
  RevokeSecurityGroupEgressCommand,
  type RouteTable,
} from "@aws-sdk/client-ec2";
import { Sha256 } from "@smithy/core/checksum";
import { HttpRequest } from "@smithy/core/protocols";
import { SignatureV4 } from "@smithy/signature-v4";
import { startLab, type RunningLab } from "@garrison/lab/start-lab";
import { afterAll, beforeAll, expect, test } from "vitest";

const region = "eu-central-1";
let folder: string;
let lab: RunningLab;
let ec2: EC2Client;
let vpcId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lab-ec2-networks-"));
  lab = await startLab({ dataDir: folder, seed: "demo", ec2: { transitionMs: 1 } });
  ec2 = new EC2Client({ endpoint: lab.endpoint, region, credentials: lab.operators["222222222222"]! });
  const { Vpcs } = await ec2.send(new DescribeVpcsCommand({}));
  vpcId = Vpcs![0]!.VpcId!;
});

afterAll(async () => {
  ec2.destroy();
  await lab.stop();
  await rm(folder, { recursive: true, force: true });
});

async function describeTable(RouteTableId: string): Promise<RouteTable> {
  const answer = await ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] }));
  return answer.RouteTables![0]!;
}

async function createTable(): Promise<string> {
  const { RouteTable } = await ec2.send(new CreateRouteTableCommand({ VpcId: vpcId }));
  return RouteTable!.RouteTableId!;
}

async function createSubnet(CidrBlock: string): Promise<string> {
  const { Subnet } = await ec2.send(new CreateSubnetCommand({ VpcId: vpcId, CidrBlock }));
  return Subnet!.SubnetId!;
}

async function describeEndpoint(id: string) {
  const answer = await ec2.send(new DescribeVpcEndpointsCommand({ VpcEndpointIds: [id] }));
  return answer.VpcEndpoints![0]!;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((next) => setTimeout(next, 5));
  }
}

test("a default VPC's main table leads to its internet gateway", async () => {
  const Filters = [
    { Name: "vpc-id", Values: [vpcId] },
    { Name: "association.main", Values: ["true"] },
  ];
  const { RouteTables } = await ec2.send(new DescribeRouteTablesCommand({ Filters }));
  const { InternetGateways } = await ec2.send(new DescribeInternetGatewaysCommand({}));
  expect(InternetGateways![0]!.Attachments).toEqual([{ VpcId: vpcId, State: "available" }]);
  expect(RouteTables![0]!.Routes).toEqual([
    {
      DestinationCidrBlock: "172.31.0.0/16",
      GatewayId: "local",
      Origin: "CreateRouteTable",
      State: "active",
    },
    {
      DestinationCidrBlock: "0.0.0.0/0",
      GatewayId: InternetGateways![0]!.InternetGatewayId,
      Origin: "CreateRoute",
      State: "active",
    },
  ]);
});

test("a route to a NAT gateway that was deleted is a black hole", async () => {
  const SubnetId = await createSubnet("172.31.64.0/24");
  const created = await ec2.send(new CreateNatGatewayCommand({ SubnetId, AllocationId: "eipalloc-1" }));
  const NatGatewayId = created.NatGateway!.NatGatewayId!;
  expect(created.NatGateway!.State).toBe("pending");
  const inState = (state: string) => async () => {
    const { NatGateways } = await ec2.send(new DescribeNatGatewaysCommand({ NatGatewayIds: [NatGatewayId] }));
    return NatGateways![0]!.State === state ? true : undefined;
  };
  await until(inState("available"));
  const RouteTableId = await createTable();
  await ec2.send(new CreateRouteCommand({ RouteTableId, DestinationCidrBlock: "0.0.0.0/0", NatGatewayId }));
  expect((await describeTable(RouteTableId)).Routes![1]!.State).toBe("active");
  await ec2.send(new DeleteNatGatewayCommand({ NatGatewayId }));
  await until(inState("deleted"));
  expect((await describeTable(RouteTableId)).Routes![1]).toEqual({
    DestinationCidrBlock: "0.0.0.0/0",
    NatGatewayId,
    Origin: "CreateRoute",
    State: "blackhole",
  });
});

test("a subnet has one table, which can be replaced, and a table in use can't be deleted", async () => {
  const SubnetId = await createSubnet("172.31.65.0/24");
  const [first, second] = [await createTable(), await createTable()];
  const { AssociationId } = await ec2.send(new AssociateRouteTableCommand({ RouteTableId: first, SubnetId }));
  const twice = ec2.send(new AssociateRouteTableCommand({ RouteTableId: second, SubnetId }));
  await expect(twice).rejects.toMatchObject({ name: "Resource.AlreadyAssociated" });
  const { NewAssociationId } = await ec2.send(
    new ReplaceRouteTableAssociationCommand({ AssociationId, RouteTableId: second }),
  );
  await ec2.send(new DeleteRouteTableCommand({ RouteTableId: first }));
  const inUse = ec2.send(new DeleteRouteTableCommand({ RouteTableId: second }));
  await expect(inUse).rejects.toMatchObject({ name: "DependencyViolation" });
  await ec2.send(new DisassociateRouteTableCommand({ AssociationId: NewAssociationId }));
  await ec2.send(new DeleteRouteTableCommand({ RouteTableId: second }));
});

test("a gateway endpoint puts its route into the tables it is given and takes it away again", async () => {
  const RouteTableId = await createTable();
  const { PrefixLists } = await ec2.send(new DescribePrefixListsCommand({}));
  const ServiceName = `com.amazonaws.${region}.s3`;
  const { VpcEndpoint } = await ec2.send(
    new CreateVpcEndpointCommand({ VpcId: vpcId, ServiceName, RouteTableIds: [RouteTableId] }),
  );
  const id = VpcEndpoint!.VpcEndpointId!;
  await until(async () => ((await describeEndpoint(id)).State as string) === "available" || undefined);
  expect((await describeTable(RouteTableId)).Routes!.at(-1)).toEqual({
    DestinationPrefixListId: PrefixLists![0]!.PrefixListId,
    GatewayId: id,
    Origin: "CreateRoute",
    State: "active",
  });
  await ec2.send(new ModifyVpcEndpointCommand({ VpcEndpointId: id, RemoveRouteTableIds: [RouteTableId] }));
  expect((await describeTable(RouteTableId)).Routes).toHaveLength(1);
  const gone = await ec2.send(
    new DeleteVpcEndpointsCommand({ VpcEndpointIds: [id, "vpce-0123456789abcdef0"] }),
  );
  expect(gone.Unsuccessful).toEqual([
    {
      ResourceId: "vpce-0123456789abcdef0",
      Error: {
        Code: "InvalidVpcEndpointId.NotFound",
        Message: "The Vpc Endpoint Id 'vpce-0123456789abcdef0' does not exist",
      },
    },
  ]);
});

test("an interface endpoint has interfaces in its subnets, the default group and a policy for everybody", async () => {
  const SubnetId = await createSubnet("172.31.66.0/24");
  const ServiceName = `com.amazonaws.${region}.sqs`;
  const { VpcEndpoint } = await ec2.send(
    new CreateVpcEndpointCommand({
      VpcId: vpcId,
      ServiceName,
      VpcEndpointType: "Interface",
      SubnetIds: [SubnetId],
    }),
  );
  const endpoint = await describeEndpoint(VpcEndpoint!.VpcEndpointId!);
  expect(endpoint).toMatchObject({
    VpcEndpointType: "Interface",
    PrivateDnsEnabled: true,
    SubnetIds: [SubnetId],
    Groups: [{ GroupName: "default" }],
    PolicyDocument:
      '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
  });
  const { NetworkInterfaces } = await ec2.send(
    new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: endpoint.NetworkInterfaceIds }),
  );
  expect(NetworkInterfaces!.map(({ SubnetId: subnet, Status }) => [subnet, Status])).toEqual([
    [SubnetId, "in-use"],
  ]);
  const again = new CreateVpcEndpointCommand({ VpcId: vpcId, ServiceName, VpcEndpointType: "Interface" });
  await expect(ec2.send(again)).rejects.toThrow("conflicting DNS domain for sqs.eu-central-1.amazonaws.com");
  await ec2.send(new DeleteVpcEndpointsCommand({ VpcEndpointIds: [VpcEndpoint!.VpcEndpointId!] }));
});

test("private DNS is refused where a DNS attribute of the VPC is off", async () => {
  const off = { VpcId: vpcId, EnableDnsHostnames: { Value: false } };
  await ec2.send(new ModifyVpcAttributeCommand(off));
  const read = new DescribeVpcAttributeCommand({ VpcId: vpcId, Attribute: "enableDnsHostnames" });
  expect((await ec2.send(read)).EnableDnsHostnames).toEqual({ Value: false });
  const created = ec2.send(
    new CreateVpcEndpointCommand({
      VpcId: vpcId,
      ServiceName: `com.amazonaws.${region}.kms`,
      VpcEndpointType: "Interface",
    }),
  );
  await expect(created).rejects.toMatchObject({
    name: "InvalidParameter",
    message: `Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ${vpcId}`,
  });
  await ec2.send(new ModifyVpcAttributeCommand({ ...off, EnableDnsHostnames: { Value: true } }));
});

test("a group's rules for leaving it can be taken away and given back", async () => {
  const describe = new DescribeSecurityGroupsCommand({
    Filters: [{ Name: "group-name", Values: ["default"] }],
  });
  const { GroupId, IpPermissionsEgress } = (await ec2.send(describe)).SecurityGroups![0]!;
  const IpPermissions = IpPermissionsEgress!.map(({ IpProtocol, IpRanges }) => ({ IpProtocol, IpRanges }));
  await ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions }));
  expect((await ec2.send(describe)).SecurityGroups![0]!.IpPermissionsEgress).toEqual([]);
  const twice = ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions }));
  await expect(twice).rejects.toMatchObject({ name: "InvalidPermission.NotFound" });
  await ec2.send(new AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions }));
  expect((await ec2.send(describe)).SecurityGroups![0]!.IpPermissionsEgress).toHaveLength(1);
});

test("every VPC has a network ACL that lets everything pass", async () => {
  const { NetworkAcls } = await ec2.send(new DescribeNetworkAclsCommand({}));
  const outward = NetworkAcls![0]!.Entries!.filter(({ Egress }) => Egress);
  expect(outward.map(({ RuleNumber, RuleAction }) => [RuleNumber, RuleAction])).toEqual([
    [100, "allow"],
    [32_767, "deny"],
  ]);
});

test("instance types are offered in each zone", async () => {
  const Filters = [{ Name: "instance-type", Values: ["m7g.large"] }];
  const command = new DescribeInstanceTypeOfferingsCommand({ LocationType: "availability-zone", Filters });
  const { InstanceTypeOfferings } = await ec2.send(command);
  expect(InstanceTypeOfferings!.map(({ Location }) => Location)).toEqual(["eu-central-1a", "eu-central-1b"]);
});

test("Service Quotas tells the vCPU quota that launches are held to", async () => {
  const body = JSON.stringify({ ServiceCode: "ec2", QuotaCode: "L-1216C47A" });
  const url = new URL(lab.endpoint);
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "ServiceQuotasV20190624.GetServiceQuota",
  };
  const signer = new SignatureV4({
    service: "servicequotas",
    region,
    sha256: Sha256,
    credentials: lab.operators["222222222222"]!,
  });
  const request = new HttpRequest({
    method: "POST",
    protocol: "http:",
    hostname: url.hostname,
    port: Number(url.port),
    path: "/",
    headers: { ...headers, host: url.host },
    body,
  });
  const signed = await signer.sign(request);
  const answer = await fetch(url, { method: "POST", headers: signed.headers, body });
  expect(await answer.json()).toMatchObject({ Quota: { QuotaCode: "L-1216C47A", Value: 32 } });
});
