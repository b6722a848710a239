import type {
  AssociateRouteTableCommandInput,
  CreateRouteTableCommandInput,
  DeleteRouteTableCommandInput,
  DescribeRouteTablesCommandInput,
  DisassociateRouteTableCommandInput,
  ReplaceRouteTableAssociationCommandInput,
  RouteTable,
} from "@aws-sdk/client-ec2";
import type { Lab } from "../../../lab.ts";
import { AwsError } from "../../../wire/aws-error.ts";
import type { Call } from "../../../wire/operation-handler.ts";
import { missingParameter } from "../shared/ec2-errors.ts";
import { filterRecords, type FilterTable } from "../shared/filter-records.ts";
import { newResourceId } from "../shared/new-resource-id.ts";
import { isOwned, selectRecords } from "../shared/owned-records.ts";
import { pageRecords } from "../shared/page-records.ts";
import { permit, permitAny } from "../shared/permit.ts";
import { subnetAccess } from "../shared/resource-access.ts";
import { formatTags, requestTagContext, tagOnCreate, tagsFor } from "../tags/tag-specifications.ts";
import { defaultNetwork } from "./default-network.ts";
import { findRouteTable, findSubnet, findVpc, noRouteTable } from "./find-network.ts";
import { routeTableAccess, vpcAccess } from "./network-access.ts";
import type { RouteTableAssociation, RouteTableRecord } from "./network-records.ts";
import { formatRoute, isRouteActive } from "./routes.ts";

const isMain = ({ subnetId }: RouteTableAssociation): boolean => subnetId === undefined;

const filtersOf = (lab: Lab): FilterTable<RouteTableRecord> => ({
  "route-table-id": (table) => table.routeTableId,
  "vpc-id": (table) => table.vpcId,
  "owner-id": (table) => table.accountId,
  "association.main": (table) => table.associations.map((one) => String(isMain(one))),
  "association.subnet-id": (table) => table.associations.flatMap((one) => one.subnetId ?? []),
  "association.route-table-id": (table) => (table.associations.length > 0 ? table.routeTableId : undefined),
  "association.route-table-association-id": (table) => table.associations.map((one) => one.associationId),
  "route.destination-cidr-block": (table) => table.routes.map((route) => route.destination),
  "route.destination-prefix-list-id": (table) =>
    table.routes.map((route) => route.destination).filter((destination) => destination.startsWith("pl-")),
  "route.gateway-id": (table) =>
    table.routes.map((route) => route.target).filter((target) => /^(?:local|igw-|vpce-)/.test(target)),
  "route.nat-gateway-id": (table) =>
    table.routes.map((route) => route.target).filter((target) => target.startsWith("nat-")),
  "route.origin": (table) => table.routes.map((route) => route.origin),
  "route.state": (table) =>
    table.routes.map((route) => (isRouteActive(lab, table, route) ? "active" : "blackhole")),
});

export function describeRouteTables(input: DescribeRouteTablesCommandInput, call: Call): object {
  permitAny(call, input.DryRun, "ec2:DescribeRouteTables");
  defaultNetwork(call.lab, call);
  const named = selectRecords(call, call.lab.ec2.tables.routeTables, {
    named: input.RouteTableIds,
    missing: noRouteTable,
  });
  const found = filterRecords(named, input.Filters, filtersOf(call.lab));
  const page = pageRecords(found, input, (table) => table.routeTableId);
  return {
    RouteTables: page.items.map((table) => formatRouteTable(call.lab, table)),
    NextToken: page.NextToken,
  };
}

export function createRouteTable(input: CreateRouteTableCommandInput, call: Call): object {
  if (input.VpcId === undefined) throw missingParameter("vpcId");
  const vpc = findVpc(call, input.VpcId);
  const tags = tagsFor(input.TagSpecifications, "route-table");
  const { accountId, region } = call;
  const created = routeTableAccess(call, { accountId, vpcId: vpc.vpcId });
  permit(call, input.DryRun, [
    {
      action: "ec2:CreateRouteTable",
      resources: [created, vpcAccess(call, vpc)],
      context: requestTagContext(tags),
    },
    ...tagOnCreate(call, "CreateRouteTable", { resource: created, tags }),
  ]);
  const table: RouteTableRecord = {
    routeTableId: newResourceId(call.lab.random, "rtb"),
    vpcId: vpc.vpcId,
    accountId,
    region,
    routes: [{ destination: vpc.cidr, target: "local", origin: "CreateRouteTable" }],
    associations: [],
    tags,
  };
  call.lab.ec2.tables.routeTables.put(table.routeTableId, table);
  return { RouteTable: formatRouteTable(call.lab, table), ClientToken: input.ClientToken };
}

export function deleteRouteTable(input: DeleteRouteTableCommandInput, call: Call): object {
  if (input.RouteTableId === undefined) throw missingParameter("routeTableId");
  const table = findRouteTable(call, input.RouteTableId);
  permit(call, input.DryRun, [
    { action: "ec2:DeleteRouteTable", resources: [routeTableAccess(call, table)] },
  ]);
  if (table.associations.length > 0) {
    const message = `The routeTable '${table.routeTableId}' has dependencies and cannot be deleted.`;
    throw new AwsError("DependencyViolation", message);
  }
  call.lab.ec2.tables.routeTables.delete(table.routeTableId);
  return {};
}

export function associateRouteTable(input: AssociateRouteTableCommandInput, call: Call): object {
  if (input.RouteTableId === undefined) throw missingParameter("routeTableId");
  if (input.SubnetId === undefined) throw missingParameter("subnetId");
  const table = findRouteTable(call, input.RouteTableId);
  const subnet = findSubnet(call, input.SubnetId);
  permit(call, input.DryRun, [
    {
      action: "ec2:AssociateRouteTable",
      resources: [routeTableAccess(call, table), subnetAccess(call, subnet)],
    },
  ]);
  if (table.vpcId !== subnet.vpcId) {
    const message = `Route table ${table.routeTableId} and subnet ${subnet.subnetId} belong to different networks`;
    throw new AwsError("InvalidParameterValue", message);
  }
  const { subnetId } = subnet;
  const tables = [...call.lab.ec2.tables.routeTables.values()];
  const known = tables.flatMap((one) => one.associations).find((one) => one.subnetId === subnetId);
  if (known !== undefined) {
    const message = `the specified association for subnet ${subnetId} conflicts with an existing association`;
    throw new AwsError("Resource.AlreadyAssociated", message);
  }
  const associationId = newResourceId(call.lab.random, "rtbassoc");
  putAssociations(call, table, [...table.associations, { associationId, subnetId }]);
  return { AssociationId: associationId, AssociationState: { State: "associated" } };
}

export function disassociateRouteTable(input: DisassociateRouteTableCommandInput, call: Call): object {
  const { table, association } = findAssociation(call, input.AssociationId);
  permit(call, input.DryRun, [
    {
      action: "ec2:DisassociateRouteTable",
      resources: [routeTableAccess(call, table), ...associatedSubnet(call, association)],
    },
  ]);
  if (isMain(association)) {
    const message = `cannot disassociate the main route table association ${association.associationId}`;
    throw new AwsError("InvalidParameterValue", message);
  }
  const left = table.associations.filter((one) => one !== association);
  putAssociations(call, table, left);
  return {};
}

/** Moves a subnet, or with the main association the VPC's other subnets, to another table. */
export function replaceRouteTableAssociation(
  input: ReplaceRouteTableAssociationCommandInput,
  call: Call,
): object {
  if (input.RouteTableId === undefined) throw missingParameter("routeTableId");
  const { table, association } = findAssociation(call, input.AssociationId);
  const target = findRouteTable(call, input.RouteTableId);
  permit(call, input.DryRun, [
    {
      action: "ec2:ReplaceRouteTableAssociation",
      resources: [routeTableAccess(call, target), ...associatedSubnet(call, association)],
    },
  ]);
  if (target.vpcId !== table.vpcId) {
    const message = `Route tables ${table.routeTableId} and ${target.routeTableId} belong to different networks`;
    throw new AwsError("InvalidParameterValue", message);
  }
  const left = table.associations.filter((one) => one !== association);
  putAssociations(call, table, left);
  const current = findRouteTable(call, target.routeTableId);
  const moved = { ...association, associationId: newResourceId(call.lab.random, "rtbassoc") };
  putAssociations(call, current, [...current.associations, moved]);
  return { NewAssociationId: moved.associationId, AssociationState: { State: "associated" } };
}

function putAssociations(
  call: Call,
  table: RouteTableRecord,
  associations: readonly RouteTableAssociation[],
): void {
  call.lab.ec2.tables.routeTables.put(table.routeTableId, { ...table, associations });
}

function associatedSubnet(call: Call, { subnetId }: RouteTableAssociation) {
  return subnetId === undefined ? [] : [subnetAccess(call, findSubnet(call, subnetId))];
}

function findAssociation(call: Call, associationId: string | undefined) {
  if (associationId === undefined) throw missingParameter("associationId");
  for (const table of call.lab.ec2.tables.routeTables.values()) {
    const association = table.associations.find((one) => one.associationId === associationId);
    if (association !== undefined && isOwned(call, table)) return { table, association };
  }
  const message = `The association ID '${associationId}' does not exist`;
  call.authorize({
    action: "ec2:DescribeRouteTables",
    resources: [{ arn: "*", accountId: call.accountId }],
    context: { "ec2:Region": call.region },
  });
  throw new AwsError("InvalidAssociationID.NotFound", message);
}

function formatRouteTable(lab: Lab, table: RouteTableRecord): RouteTable {
  return {
    RouteTableId: table.routeTableId,
    VpcId: table.vpcId,
    OwnerId: table.accountId,
    Routes: table.routes.map((route) => formatRoute(lab, table, route)),
    Associations: table.associations.map((association) => ({
      RouteTableAssociationId: association.associationId,
      RouteTableId: table.routeTableId,
      Main: isMain(association),
      SubnetId: association.subnetId,
      AssociationState: { State: "associated" },
    })),
    PropagatingVgws: [],
    Tags: formatTags(table.tags),
  };
}
