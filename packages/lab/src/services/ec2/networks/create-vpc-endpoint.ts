import type { CreateVpcEndpointCommandInput } from "@aws-sdk/client-ec2";
import type { Lab } from "../../../lab.ts";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { openClientToken } from "../shared/client-tokens.ts";
import { missingParameter } from "../shared/ec2-errors.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { ownedRecords } from "../shared/owned-records.ts";
import { permit } from "../shared/permit.ts";
import { securityGroupAccess, subnetAccess } from "../shared/resource-access.ts";
import { requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { formatVpcEndpoint } from "./describe-vpc-endpoints.ts";
import { readEndpointPolicy } from "./endpoint-policy.ts";
import { isEndpointService } from "./endpoint-services.ts";
import { findRouteTable, findSecurityGroup, findSubnet, findVpc, findVpcEndpoint } from "./find-network.ts";
import { routeTableAccess, vpcAccess, vpcEndpointAccess } from "./network-access.ts";
import type {
  RouteTableRecord,
  SecurityGroupRecord,
  SubnetRecord,
  VpcEndpointRecord,
  VpcRecord,
} from "./network-records.ts";
import {
  addEndpointInterface,
  addEndpointRoute,
  checkInboundOnly,
  checkPrivateDns,
  checkZones,
  invalid,
} from "./vpc-endpoint-parts.ts";

interface PlannedEndpoint {
  readonly vpc: VpcRecord;
  readonly serviceName: string;
  readonly type: "Gateway" | "Interface";
  readonly tables: readonly RouteTableRecord[];
  readonly subnets: readonly SubnetRecord[];
  readonly groups: readonly SecurityGroupRecord[];
}

export function createVpcEndpoint(input: CreateVpcEndpointCommandInput, call: Call): object {
  const planned = planEndpoint(input, call);
  const tags = tagsFor(input.TagSpecifications, "vpc-endpoint");
  permitCreation(input, call, { planned, tags });
  const token = openClientToken(call, "CreateVpcEndpoint", input);
  if (token.earlierIds !== undefined) {
    const earlier = findVpcEndpoint(call, token.earlierIds[0]!);
    return { VpcEndpoint: formatVpcEndpoint(call.lab, earlier), ClientToken: input.ClientToken };
  }
  checkPlan(planned, call);
  const record = { ...newEndpoint(input, call, planned), tags };
  for (const table of planned.tables) addEndpointRoute(call, record, table);
  const networkInterfaceIds = planned.subnets.map((subnet) => addEndpointInterface(call, record, subnet));
  const endpoint = { ...record, networkInterfaceIds };
  call.lab.ec2.tables.vpcEndpoints.put(endpoint.vpcEndpointId, endpoint);
  token.remember([endpoint.vpcEndpointId]);
  makeAvailable(call.lab, endpoint.vpcEndpointId);
  return { VpcEndpoint: formatVpcEndpoint(call.lab, endpoint), ClientToken: input.ClientToken };
}

function planEndpoint(input: CreateVpcEndpointCommandInput, call: Call): PlannedEndpoint {
  if (input.VpcId === undefined) throw missingParameter("vpcId");
  if (input.ServiceName === undefined) throw missingParameter("serviceName");
  const { VpcEndpointType: type = "Gateway" } = input;
  if (type !== "Gateway" && type !== "Interface")
    throw invalid(`The lab has gateway and interface endpoints, not ${type} ones.`);
  const vpc = findVpc(call, input.VpcId);
  const named = (input.SecurityGroupIds ?? []).map((id) => findSecurityGroup(call, id));
  const defaults = ownedRecords(call, call.lab.ec2.tables.securityGroups.values()).filter(
    (group) => group.vpcId === vpc.vpcId && group.groupName === "default",
  );
  return {
    vpc,
    serviceName: input.ServiceName,
    type,
    tables: (input.RouteTableIds ?? []).map((id) => findRouteTable(call, id)),
    subnets: (input.SubnetIds ?? []).map((id) => findSubnet(call, id)),
    groups: type === "Interface" && named.length === 0 ? defaults : named,
  };
}

interface Creation {
  readonly planned: PlannedEndpoint;
  readonly tags: Readonly<Record<string, string>>;
}

function permitCreation(input: CreateVpcEndpointCommandInput, call: Call, { planned, tags }: Creation): void {
  const { accountId } = call;
  const created = vpcEndpointAccess(call, { accountId, serviceName: planned.serviceName });
  permit(call, input.DryRun, [
    {
      action: "ec2:CreateVpcEndpoint",
      resources: [
        vpcAccess(call, planned.vpc),
        created,
        ...planned.tables.map((table) => routeTableAccess(call, table)),
        ...planned.subnets.map((subnet) => subnetAccess(call, subnet)),
        ...planned.groups.map((group) => securityGroupAccess(call, group)),
      ],
      context: requestTagContext(tags),
    },
    ...tagOnCreate(call, "CreateVpcEndpoint", { resource: created, tags }),
  ]);
}

function checkPlan({ vpc, serviceName, type, tables, subnets, groups }: PlannedEndpoint, call: Call): void {
  if (!isEndpointService(serviceName, call.region, type)) {
    const message = `The Vpc Endpoint Service '${serviceName}' does not exist`;
    throw new AwsError("InvalidServiceName", message);
  }
  if (type === "Gateway" && (subnets.length > 0 || groups.length > 0))
    throw invalid("Subnets and security groups can't be specified for a gateway endpoint");
  if (type === "Interface" && tables.length > 0)
    throw invalid("Route table IDs are only supported for Gateway type VPC Endpoint.");
  const foreign = [...subnets, ...groups].some(({ vpcId }) => vpcId !== vpc.vpcId);
  if (foreign) throw invalid(`Subnets and security groups must belong to ${vpc.vpcId}`);
  checkZones(subnets);
}

function newEndpoint(
  input: CreateVpcEndpointCommandInput,
  call: Call,
  planned: PlannedEndpoint,
): Omit<VpcEndpointRecord, "tags"> {
  const { vpc, serviceName, type, tables, subnets, groups } = planned;
  const privateDns = type === "Interface" && (input.PrivateDnsEnabled ?? true);
  const isS3 = serviceName.endsWith(".s3");
  const inboundOnly = input.DnsOptions?.PrivateDnsOnlyForInboundResolverEndpoint ?? true;
  if (privateDns) checkPrivateDns(call, vpc, serviceName);
  if (privateDns && isS3 && inboundOnly) checkInboundOnly(call, vpc.vpcId, serviceName);
  return {
    vpcEndpointId: newResourceId(call.lab.random, "vpce"),
    accountId: call.accountId,
    region: call.region,
    vpcId: vpc.vpcId,
    serviceName,
    type,
    state: "pending",
    privateDns,
    ...(privateDns && isS3 ? { privateDnsInboundOnly: inboundOnly } : {}),
    subnetIds: subnets.map(({ subnetId }) => subnetId),
    securityGroupIds: groups.map(({ groupId }) => groupId),
    networkInterfaceIds: [],
    routeTableIds: tables.map(({ routeTableId }) => routeTableId),
    policyDocument: readEndpointPolicy(input.PolicyDocument),
    createdAtMs: call.lab.clock.now(),
  };
}

function makeAvailable(lab: Lab, vpcEndpointId: string): void {
  const { vpcEndpoints } = lab.ec2.tables;
  lab.ec2.later(lab.ec2.settings.transitionMs, () => {
    const current = vpcEndpoints.get(vpcEndpointId);
    if (current?.state === "pending") vpcEndpoints.put(vpcEndpointId, { ...current, state: "available" });
  });
}

/** Goes on with what a restart interrupted. */
export function resumeVpcEndpoints(lab: Lab): void {
  for (const { vpcEndpointId, state } of lab.ec2.tables.vpcEndpoints.values()) {
    if (state === "pending") makeAvailable(lab, vpcEndpointId);
    if (state === "deleting") lab.ec2.tables.vpcEndpoints.delete(vpcEndpointId);
  }
}
