import {
  DescribeInstanceTypeOfferingsCommand,
  DescribeNatGatewaysCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcAttributeCommand,
  GetEbsDefaultKmsKeyIdCommand,
  GetEbsEncryptionByDefaultCommand,
  type DescribeSecurityGroupsCommandInput,
  type EC2Client,
  type RouteTable,
  type Subnet,
  type _InstanceType,
} from "@aws-sdk/client-ec2";
import { openDeadline } from "@garrison/core/deadline";
import { describeError, GarrisonError } from "@garrison/core/garrison-error";
import { secondMs } from "@garrison/core/units";
import type { EndpointFact, NetworkFacts, Read, RouteTableFact } from "@garrison/roles/network/network-facts";
import { namedCall, type AwsCall } from "../ec2/named-call.ts";
import type { AwsClients } from "../aws-clients.ts";
import { readEndpoints } from "./read-endpoints.ts";
import { readRouteTable } from "./read-route-table.ts";
import { readVcpus } from "./read-vcpus.ts";
import { toEndpointFact } from "./to-endpoint-fact.ts";
import { toGroupFact } from "./to-group-fact.ts";

export interface NetworkQuestion {
  readonly region: string;
  readonly subnetId: string;
  /** Absent: the VPC's default group, as EC2 itself chooses. */
  readonly securityGroupIds?: readonly string[];
  readonly instanceType: string;
}

/** A read that hangs must not hold up the rest for long. */
const readTimeoutMs = 20 * secondMs;

/**
 * Reads what decides whether a worker in this subnet reaches what it calls. A read that is denied or fails is told as such and
 * stops nothing; only the subnet itself has to be there. Changes nothing.
 */
export async function readNetwork(
  clients: Pick<AwsClients, "ec2" | "serviceQuotas">,
  question: NetworkQuestion,
  call: AwsCall,
): Promise<NetworkFacts> {
  const ec2 = clients.ec2();
  const { region, subnetId, instanceType } = question;
  const subnet = await readSubnet(ec2, subnetId, call);
  const vpcId = subnet.VpcId ?? "";
  const zone = subnet.AvailabilityZone ?? "";
  const attempt = <Value>(what: string, read: (one: AwsCall) => Promise<Value>) => tryRead(what, call, read);
  const [dns, routeTable, endpoints, isTypeOffered, defaultKey] = await Promise.all([
    attempt("the DNS attributes of the VPC", (one) => readDns(ec2, vpcId, one)),
    attempt("the subnet's routes", async (one) =>
      toRouteTableFact(await readRouteTable(ec2, { vpcId, subnetId }, one)),
    ),
    attempt("the VPC's endpoints", async (one) => (await readEndpoints(ec2, vpcId, one)).map(toEndpointFact)),
    attempt("where the instance type is offered", (one) => isOffered(ec2, { instanceType, zone }, one)),
    attempt("the encryption of new volumes", (one) => readDefaultKey(ec2, one)),
  ]);
  const groups = await attempt("the security groups", (one) =>
    readGroups(ec2, { question, vpcId, endpoints }, one),
  );
  const vcpus = await attempt("the vCPU quota", (one) => readVcpus(clients, instanceType, one));
  const natGateways = await attempt("the NAT gateways", (one) => readNatGateways(ec2, routeTable, one));
  return {
    region,
    subnetId,
    subnetCidr: subnet.CidrBlock ?? "",
    vpcId,
    zone,
    freeAddresses: subnet.AvailableIpAddressCount ?? 0,
    givesPublicAddress: subnet.MapPublicIpOnLaunch === true,
    groupIds: "known" in groups ? groups.known.workerGroupIds : (question.securityGroupIds ?? []),
    instanceType,
    dns,
    routeTable,
    natGateways,
    endpoints,
    groups: "known" in groups ? { known: groups.known.facts } : groups,
    isTypeOffered,
    vcpus: "known" in vcpus ? vcpus.known : vcpus,
    defaultKey,
  };
}

async function tryRead<Value>(
  what: string,
  { signal }: AwsCall,
  read: (call: AwsCall) => Promise<Value>,
): Promise<Read<Value>> {
  using deadline = openDeadline(signal, readTimeoutMs, `reading ${what}`);
  try {
    return { known: await namedCall(`reading ${what}`, read({ signal: deadline.signal })) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { unread: `Not known: ${describeError(error)}.` };
  }
}

async function readSubnet(ec2: EC2Client, subnetId: string, { signal }: AwsCall): Promise<Subnet> {
  const command = new DescribeSubnetsCommand({ SubnetIds: [subnetId] });
  const answer = await namedCall(`reading ${subnetId}`, ec2.send(command, { abortSignal: signal }));
  const [subnet] = answer.Subnets ?? [];
  if (subnet !== undefined) return subnet;
  throw new GarrisonError("aws-not-found", `there is no subnet ${subnetId}`);
}

async function readDns(ec2: EC2Client, vpcId: string, { signal }: AwsCall) {
  const ask = (Attribute: "enableDnsSupport" | "enableDnsHostnames") =>
    ec2.send(new DescribeVpcAttributeCommand({ VpcId: vpcId, Attribute }), { abortSignal: signal });
  const support = await ask("enableDnsSupport");
  const hostnames = await ask("enableDnsHostnames");
  return {
    support: support.EnableDnsSupport?.Value === true,
    hostnames: hostnames.EnableDnsHostnames?.Value === true,
  };
}

function toRouteTableFact(table: RouteTable | undefined): RouteTableFact {
  const routes = (table?.Routes ?? []).map((route) => ({
    destination:
      route.DestinationCidrBlock ?? route.DestinationPrefixListId ?? route.DestinationIpv6CidrBlock ?? "",
    target:
      route.GatewayId ??
      route.NatGatewayId ??
      route.TransitGatewayId ??
      route.VpcPeeringConnectionId ??
      route.NetworkInterfaceId ??
      "another target",
    isBlackhole: route.State === "blackhole",
  }));
  return { routeTableId: table?.RouteTableId ?? "", routes };
}

async function readNatGateways(
  ec2: EC2Client,
  routeTable: Read<RouteTableFact>,
  { signal }: AwsCall,
): Promise<Readonly<Record<string, string>>> {
  const routes = "known" in routeTable ? routeTable.known.routes : [];
  const ids = [...new Set(routes.map(({ target }) => target).filter((target) => target.startsWith("nat-")))];
  if (ids.length === 0) return {};
  const command = new DescribeNatGatewaysCommand({ Filter: [{ Name: "nat-gateway-id", Values: ids }] });
  const { NatGateways } = await ec2.send(command, { abortSignal: signal });
  return Object.fromEntries(
    (NatGateways ?? []).map(({ NatGatewayId, State }) => [NatGatewayId ?? "", State ?? "unknown"]),
  );
}

interface GroupQuestion {
  readonly question: NetworkQuestion;
  readonly vpcId: string;
  readonly endpoints: Read<readonly EndpointFact[]>;
}

async function readGroups(
  ec2: EC2Client,
  { question, vpcId, endpoints }: GroupQuestion,
  { signal }: AwsCall,
) {
  const describe = async (input: DescribeSecurityGroupsCommandInput) => {
    const answer = await ec2.send(new DescribeSecurityGroupsCommand(input), { abortSignal: signal });
    return answer.SecurityGroups ?? [];
  };
  const { securityGroupIds: chosen } = question;
  const own =
    chosen === undefined || chosen.length === 0
      ? await describe({
          Filters: [
            { Name: "vpc-id", Values: [vpcId] },
            { Name: "group-name", Values: ["default"] },
          ],
        })
      : await describe({ GroupIds: [...chosen] });
  const workerGroupIds = own.map(({ GroupId }) => GroupId ?? "");
  const others = new Set(("known" in endpoints ? endpoints.known : []).flatMap(({ groupIds }) => groupIds));
  const missing = [...others].filter((id) => !workerGroupIds.includes(id));
  const ofEndpoints = missing.length === 0 ? [] : await describe({ GroupIds: missing });
  return { workerGroupIds, facts: [...own, ...ofEndpoints].map(toGroupFact) };
}

async function isOffered(
  ec2: EC2Client,
  { instanceType, zone }: { readonly instanceType: string; readonly zone: string },
  { signal }: AwsCall,
): Promise<boolean> {
  const command = new DescribeInstanceTypeOfferingsCommand({
    LocationType: "availability-zone",
    Filters: [
      { Name: "location", Values: [zone] },
      { Name: "instance-type", Values: [instanceType as _InstanceType] },
    ],
  });
  const { InstanceTypeOfferings } = await ec2.send(command, { abortSignal: signal });
  return (InstanceTypeOfferings ?? []).length > 0;
}

async function readDefaultKey(ec2: EC2Client, { signal }: AwsCall): Promise<string | undefined> {
  const state = await ec2.send(new GetEbsEncryptionByDefaultCommand({}), { abortSignal: signal });
  if (state.EbsEncryptionByDefault !== true) return undefined;
  const { KmsKeyId } = await ec2.send(new GetEbsDefaultKmsKeyIdCommand({}), { abortSignal: signal });
  return KmsKeyId;
}
