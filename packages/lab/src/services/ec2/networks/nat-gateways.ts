import type {
  CreateNatGatewayCommandInput,
  DeleteNatGatewayCommandInput,
  DescribeNatGatewaysCommandInput,
  NatGateway,
} from "@aws-sdk/client-ec2";
import type { Lab } from "../../../lab.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { openClientToken } from "../shared/client-tokens.ts";
import { missingParameter } from "../shared/ec2-errors.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { selectRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permit, permitAny } from "../shared/permit.ts";
import { subnetAccess } from "../shared/resource-access.ts";
import { formatTags, requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { publicAddress, takePrivateIp } from "./addresses.ts";
import { findNatGateway, findSubnet, noNatGateway } from "./find-network.ts";
import { natGatewayAccess } from "./network-access.ts";
import type { NatGatewayRecord } from "./network-records.ts";

const filters: FilterTable<NatGatewayRecord> = {
  "nat-gateway-id": (gateway) => gateway.natGatewayId,
  state: (gateway) => gateway.state,
  "subnet-id": (gateway) => gateway.subnetId,
  "vpc-id": (gateway) => gateway.vpcId,
};

export function describeNatGateways(input: DescribeNatGatewaysCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeNatGateways");
  const named = selectRecords(call, call.lab.ec2.tables.natGateways, {
    named: input.NatGatewayIds,
    missing: noNatGateway,
  });
  // This operation calls it Filter, all others Filters.
  const page = pageRecords(
    filterRecords(named, input.Filter, filters),
    input,
    (gateway) => gateway.natGatewayId,
  );
  return { NatGateways: page.items.map(formatGateway), NextToken: page.NextToken };
}

/** Elastic IPs aren't in the lab: a public NAT gateway gets an address of its own, whatever allocation is named. */
export function createNatGateway(input: CreateNatGatewayCommandInput, call: Call): object {
  if (input.SubnetId === undefined) throw missingParameter("subnetId");
  const subnet = findSubnet(call, input.SubnetId);
  const tags = tagsFor(input.TagSpecifications, "natgateway");
  const created = natGatewayAccess(call);
  permit(call, input.DryRun, [
    {
      action: "ec2:CreateNatGateway",
      resources: [created, subnetAccess(call, subnet)],
      context: requestTagContext(tags),
    },
    ...tagOnCreate(call, "CreateNatGateway", { resource: created, tags }),
  ]);
  const isPublic = input.ConnectivityType !== "private";
  if (isPublic && input.AllocationId === undefined) throw missingParameter("AllocationId");
  const token = openClientToken(call, "CreateNatGateway", input);
  if (token.earlierIds !== undefined)
    return { NatGateway: formatGateway(findNatGateway(call, token.earlierIds[0]!)) };
  const { lab, accountId, region } = call;
  const gateway: NatGatewayRecord = {
    natGatewayId: newResourceId(lab.random, "nat"),
    accountId,
    region,
    vpcId: subnet.vpcId,
    subnetId: subnet.subnetId,
    isPublic,
    state: "pending",
    privateIp: takePrivateIp(lab, subnet, input.PrivateIpAddress),
    ...(isPublic ? { publicIp: publicAddress(lab) } : {}),
    createdAtMs: lab.clock.now(),
    tags,
  };
  lab.ec2.tables.natGateways.put(gateway.natGatewayId, gateway);
  token.remember([gateway.natGatewayId]);
  changeLater(lab, gateway.natGatewayId, { from: "pending", to: "available" });
  return { NatGateway: formatGateway(gateway), ClientToken: input.ClientToken };
}

export function deleteNatGateway(input: DeleteNatGatewayCommandInput, call: Call): object {
  if (input.NatGatewayId === undefined) throw missingParameter("natGatewayId");
  const gateway = findNatGateway(call, input.NatGatewayId);
  permit(call, input.DryRun, [
    { action: "ec2:DeleteNatGateway", resources: [natGatewayAccess(call, gateway)] },
  ]);
  const { natGatewayId } = gateway;
  if (gateway.state !== "deleted") {
    const deletedAtMs = call.lab.clock.now();
    call.lab.ec2.tables.natGateways.put(natGatewayId, { ...gateway, state: "deleting", deletedAtMs });
    changeLater(call.lab, natGatewayId, { from: "deleting", to: "deleted" });
  }
  return { NatGatewayId: natGatewayId };
}

interface StateChange {
  readonly from: NatGatewayRecord["state"];
  readonly to: NatGatewayRecord["state"];
}

function changeLater(lab: Lab, natGatewayId: string, { from, to }: StateChange): void {
  lab.ec2.later(lab.ec2.settings.transitionMs, () => {
    const current = lab.ec2.tables.natGateways.get(natGatewayId);
    if (current?.state === from) lab.ec2.tables.natGateways.put(natGatewayId, { ...current, state: to });
  });
}

/** Goes on with what a restart interrupted. */
export function resumeNatGateways(lab: Lab): void {
  for (const { natGatewayId, state } of lab.ec2.tables.natGateways.values()) {
    if (state === "pending") changeLater(lab, natGatewayId, { from: "pending", to: "available" });
    if (state === "deleting") changeLater(lab, natGatewayId, { from: "deleting", to: "deleted" });
  }
}

function formatGateway(gateway: NatGatewayRecord): NatGateway {
  const { deletedAtMs } = gateway;
  return {
    NatGatewayId: gateway.natGatewayId,
    VpcId: gateway.vpcId,
    SubnetId: gateway.subnetId,
    State: gateway.state,
    ConnectivityType: gateway.isPublic ? "public" : "private",
    CreateTime: new Date(gateway.createdAtMs),
    ...(deletedAtMs === undefined ? {} : { DeleteTime: new Date(deletedAtMs) }),
    NatGatewayAddresses: [
      { PrivateIp: gateway.privateIp, PublicIp: gateway.publicIp, IsPrimary: true, Status: "succeeded" },
    ],
    Tags: formatTags(gateway.tags),
  };
}
